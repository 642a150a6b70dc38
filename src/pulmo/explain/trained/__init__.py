"""Methods that look inside a network, which they have as torch; a bundle does without this room."""
