"""Torch networks: a backbone, a head, and one class for both."""
