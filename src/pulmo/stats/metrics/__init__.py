"""The metrics, each a decorated function; `pulmo.stats.metric.METRICS` reads this folder."""
