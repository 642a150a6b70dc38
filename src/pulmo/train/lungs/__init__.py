"""Training of the network that finds the lungs."""
