"""What is fitted on validation images: temperature, thresholds, triage bands, prediction sets."""
