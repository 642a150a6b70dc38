"""One file a system; each registers itself with `pulmo.reproduce.system.SYSTEMS`."""
