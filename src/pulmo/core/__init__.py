"""What every layer shares: errors, labels, the registry, recipes, estimates and tables."""
