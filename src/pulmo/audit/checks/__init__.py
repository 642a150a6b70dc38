"""One file a check; each registers itself with `pulmo.audit.check.CHECKS`."""
