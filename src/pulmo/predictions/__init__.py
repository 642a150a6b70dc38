"""Predictions of classifiers, and the decision rule that reads them."""
