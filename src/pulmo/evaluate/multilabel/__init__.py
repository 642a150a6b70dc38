"""Predictions of several findings per image, each there, not there or not labelled."""
