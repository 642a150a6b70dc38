"""Reads tables of predictions as their authors send them."""
