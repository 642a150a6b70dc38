"""What the channels of a network respond to, trained and untrained."""
