"""What experiments of many runs are made of: folds, executors, search spaces, trials, summaries."""
