"""One file a source; each registers itself with `pulmo.datasets.source.source`."""
