"""The metrics, one decorated function a file; `pulmo.evaluate.metric.METRICS` reads this folder."""
