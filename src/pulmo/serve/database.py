"""The database of a server: results, tokens and the log."""

from typing import ClassVar, Final

from pulmo.daemon.audit_log import LOG_SCHEMA
from pulmo.daemon.database import Database

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS predictions (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    status TEXT NOT NULL,
    answer TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS tokens (
    name TEXT PRIMARY KEY,
    sha256 TEXT NOT NULL UNIQUE,
    created TEXT NOT NULL,
    revoked TEXT
);
"""


class ServeDatabase(Database):
    """The database in the data folder of a server."""

    file: ClassVar = "serve.db"
    version: ClassVar = 1
    schema: ClassVar = _SCHEMA + LOG_SCHEMA
