"""One file a system; each registers itself with `pulmo.study.system.SYSTEMS`."""
