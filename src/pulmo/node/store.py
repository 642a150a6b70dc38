"""What a node keeps in its data folder: the database, and the files that it names."""

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, Self

import platformdirs

from pulmo.core.errors import PulmoError, RefusedError
from pulmo.core.files import sha256, write_atomically
from pulmo.node.database import NodeDatabase
from pulmo.node.options import NodeData

_DIGITS: Final = 16
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_HOUR: Final = 3600
"""Seconds after which a file that the database does not name was left by a killed process."""


def instance_of(uid: str) -> str:
    """Returns what stands for a SOP Instance UID: the first digits of its SHA-256."""
    return hashlib.sha256(uid.encode()).hexdigest()[:_DIGITS]


def data_folder(options: NodeData) -> Path:
    """Returns the folder of the inbox, the outbox and the log."""
    return options.data or platformdirs.user_data_path("pulmo") / "listen"


class FileShelf:
    """Files that are named by the SHA-256 of their bytes.

    Attributes:
        folder: where they lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(mode=0o700, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Returns where the file with a SHA-256 lies."""
        return self.folder / digest[:2] / f"{digest}.dcm"

    def put(self, data: bytes) -> str:
        """Writes a file; it is on the disk when this returns its SHA-256.

        Raises:
            PulmoError: the disk is full (`disk-full`), or the file cannot be written.
        """
        digest = sha256(data)
        path = self.path(digest)
        try:
            write_atomically(path, data)
            for folder in (path.parent, self.folder):
                _flush(folder)
        except PulmoError as error:
            if getattr(error.__cause__, "errno", None) in _FULL:
                raise PulmoError(
                    "disk-full", f"{self.folder} cannot take the image: the disk is full."
                ) from error
            raise
        return digest

    def remove(self, digest: str) -> None:
        """Removes a file, if it is there."""
        self.path(digest).unlink(missing_ok=True)

    def old(self, pattern: str) -> Iterator[Path]:
        """Yields the files of a pattern that no process writes any more."""
        for path in self.folder.glob(pattern):
            with suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime >= _HOUR:
                    yield path


class Store:
    """The data folder of a node.

    Attributes:
        folder: the folder.
        database: inbox, outbox and log.
        received: the files that were received.
        objects: the files that are to be sent.
    """

    def __init__(self, folder: Path) -> None:
        """Opens the folder, which is made if need be; only the user may read it.

        Raises:
            InputError: it cannot be written to, or its file is no such database.
            PulmoError: another process has locked it, or the disk is full.
        """
        self.folder = folder
        self.database = NodeDatabase(folder)
        self.received = FileShelf(folder / "received")
        self.objects = FileShelf(folder / "objects")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.database.close()

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other nodes out of the folder, where the system can do that.

        Raises:
            RefusedError: another node works in it.
        """
        with (self.folder / "listen.lock").open("w") as file:
            try:
                import fcntl  # noqa: PLC0415 - not on every system

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                pass
            except OSError:
                raise RefusedError(
                    "node-running", f"Another process listens with the folder {self.folder}."
                ) from None
            yield

    def sweep(self) -> None:
        """Removes the files that no row names, which a killed process left."""
        for shelf, table in ((self.received, "inbox"), (self.objects, "outbox")):
            # Both names are literals of this package.
            query = f"SELECT 1 FROM {table} WHERE sha256 = ? AND kept LIMIT 1"  # noqa: S608 - see above
            for path in shelf.old("*/*.dcm"):
                if not self.database.rows(query, (path.stem,)):
                    path.unlink(missing_ok=True)
            for path in shelf.old("*/.*"):
                path.unlink(missing_ok=True)


def _flush(folder: Path) -> None:
    """Has the names in a folder written to the disk, where the system can do that."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
