"""Heat maps: where on the image a class's evidence lies, on a scale that never moves."""
