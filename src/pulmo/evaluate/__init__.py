"""Predictions become figures, each with its interval."""
