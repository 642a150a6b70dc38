"""The node of a hospital's network: images come in, results go out, and nothing is lost between."""
