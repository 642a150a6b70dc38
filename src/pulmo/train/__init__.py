"""A recipe and a manifest become a run."""
