"""Many runs seen together: repeated over folds and seeds, searched among, and compared."""
