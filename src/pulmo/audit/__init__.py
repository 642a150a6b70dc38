"""The audit: what a model has been shown to do, and what it has not."""
