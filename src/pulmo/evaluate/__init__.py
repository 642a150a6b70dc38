"""Predictions become metrics, each with its interval."""
