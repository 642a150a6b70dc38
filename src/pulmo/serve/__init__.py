"""The HTTP server: the predictor, with a queue, limits, tokens, a log and a page."""
