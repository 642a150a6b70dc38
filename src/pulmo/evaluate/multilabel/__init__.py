"""Predictions of several findings a film, each there, not there or not labelled."""
