"""Heat maps: where on the film a class's evidence lies, on a scale that never moves."""
