"""What programs share that run for weeks: database, logs, jobs in worker processes, addresses."""
