"""Published systems: their data, experiments and published results, and what came of ours."""
