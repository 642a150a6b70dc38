"""Statistics of images that may have several findings each."""
