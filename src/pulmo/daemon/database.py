"""The database of a program that runs for weeks: one SQLite file in a folder of its own."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar, Final, Self

from pulmo.core.errors import InputError, PulmoError
from pulmo.core.output import claim_folder

_WAIT: Final = 5.0
"""Seconds that are waited for another process that writes."""
_CHUNK: Final = 500


def now() -> str:
    """Returns the time in UTC, ISO 8601 with milliseconds."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Database:
    """One connection, for all threads of a process; other processes may have theirs.

    A program has a subclass with its file and tables.

    Attributes:
        file: the name of its file.
        version: of the schema; a file of another one is refused.
        schema: makes the tables that are missing.
        path: its file.
    """

    file: ClassVar[str]
    version: ClassVar[int]
    schema: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        """Opens the database in a folder, which is made if need be; only the user may read it.

        Raises:
            InputError: the folder cannot be written to, or the file is no such database.
            PulmoError: another process has locked it, or the disk is full.
        """
        if not folder.exists():
            claim_folder(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        claim_folder(folder)
        self.path = folder / self.file
        self._lock = Lock()
        with self._explained():
            # SQLite gives the files next to the database the same permissions.
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self._connection = sqlite3.connect(
                self.path, timeout=_WAIT, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            # A result is given only when its line of the log is on the disk.
            self._connection.execute("PRAGMA synchronous = FULL")
            self._prepare()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Gives the connection; what is written is there whole at the end, or not at all.

        Raises:
            PulmoError: it could not be written: `database-locked`, `disk-full` or another code.
        """
        with self._lock, self._explained():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def rows(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns the rows of a query.

        Raises:
            PulmoError: the file cannot be read.
        """
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    def each(self, table: str, columns: str, who: str | None = None) -> Iterator[tuple[Any, ...]]:
        """Yields the rows of a numbered table, the oldest first, while others may write.

        Args:
            table: its name.
            columns: their names.
            who: whose rows; None for all.
        """
        last, whose = 0, "" if who is None else "AND who = ?3 "
        # Both names are literals of this package.
        query = (
            f"SELECT number, {columns} FROM {table} WHERE number > ?1 {whose}"  # noqa: S608 - see above
            "ORDER BY number LIMIT ?2"
        )
        while rows := self.rows(query, (last, _CHUNK, *([] if who is None else [who]))):
            last = rows[-1][0]
            yield from (row[1:] for row in rows)

    def _prepare(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > self.version:
            raise InputError(
                "database-newer", f"{self.path} was written by a later version of pulmo."
            )
        if 0 < version < self.version:
            raise InputError(
                "database-older",
                f"{self.path} was written by an earlier version of pulmo. Move it to another "
                "folder, or go on with that version.",
            )
        if version < self.version:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {self.schema} PRAGMA user_version = {self.version}; COMMIT;"
            )

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """Turns errors of SQLite into a sentence."""
        try:
            yield
        except OSError as error:
            raise InputError(
                "database-unusable", f"{self.path} cannot be used: {error.strerror}."
            ) from error
        except sqlite3.Error as error:
            raise self._sentence(error) from error

    def _sentence(self, error: sqlite3.Error) -> PulmoError:
        # The low byte is the kind of an error, whatever the rest says of it.
        kind = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
        if kind in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return PulmoError(
                "database-locked", f"{self.path} is locked: another process writes to it."
            )
        if kind == sqlite3.SQLITE_FULL:
            return PulmoError("disk-full", f"{self.path} cannot grow: the disk is full.")
        return InputError(
            "database-unusable", f"{self.path} cannot be used as a database of pulmo: {error}."
        )
