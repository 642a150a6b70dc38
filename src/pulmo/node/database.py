"""The database of a node: inbox, outbox and the log. It holds no identifier of a patient."""

from typing import ClassVar, Final

from pulmo.daemon.audit_log import LOG_SCHEMA
from pulmo.daemon.database import Database

# `instance` is a hash of a SOP Instance UID, `sha256` that of a file's bytes, which names the file.
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS inbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    instance TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    caller TEXT NOT NULL,
    received TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'received',
    judged TEXT,
    code TEXT,
    reason TEXT,
    kept INTEGER NOT NULL DEFAULT 1,
    UNIQUE (instance, sha256)
);
CREATE INDEX IF NOT EXISTS inbox_state ON inbox (state);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    inbox INTEGER NOT NULL REFERENCES inbox (number),
    instance TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    peer TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued',
    queued TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    due REAL NOT NULL DEFAULT 0,
    failed TEXT,
    code TEXT,
    error TEXT,
    sent TEXT,
    kept INTEGER NOT NULL DEFAULT 1,
    UNIQUE (inbox, instance, peer)
);
CREATE INDEX IF NOT EXISTS outbox_state ON outbox (state, peer, due);
CREATE INDEX IF NOT EXISTS outbox_instance ON outbox (instance);
CREATE INDEX IF NOT EXISTS outbox_inbox ON outbox (inbox);
"""


class NodeDatabase(Database):
    """The database in the data folder of a node."""

    file: ClassVar = "node.db"
    version: ClassVar = 1
    schema: ClassVar = _SCHEMA + LOG_SCHEMA
