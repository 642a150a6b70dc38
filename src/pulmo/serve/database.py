"""The database of a server: results, tokens and the log."""

from typing import ClassVar, Final

from pulmo.daemon.audit_log import LOG_SCHEMA
from pulmo.daemon.database import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS predictions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    answer TEXT NOT NULL,
    who TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    revoked TEXT,
    sees_all INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS predictions_of ON predictions (who, number);
"""


class ServeDatabase(Database):
    """The database in the data folder of a server."""

    file: ClassVar = "serve.db"
    version: ClassVar = 2
    schema: ClassVar = _SCHEMA + LOG_SCHEMA
