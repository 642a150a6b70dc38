"""The use cases, one module a verb: typed options in, typed results out, every guard inside."""
