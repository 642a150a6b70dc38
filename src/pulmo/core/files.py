"""Files that are whole or absent: written to a temporary name, flushed, renamed."""

import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from pulmo.core.errors import InputError

_DRAFT: Final = re.compile(r"\..+\.[0-9a-f]{8}")
"""The temporary name of a file or folder that is not finished."""


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, so that a reader sees the old file or the new one, never a part.

    Raises:
        InputError: the file cannot be written (a full disk, no permission); what was at `path`
            before is still there.
    """
    with replacing(path) as file:
        file.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Gives a file to write, which takes the place of `path` at the end; after an error it is gone.

    Raises:
        InputError: as `write_atomically`.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(
            "file-not-written", f"{path} could not be written: {error.strerror or error}."
        ) from error
    finally:
        # After an error, and after an interruption too.
        with suppress(OSError):
            temporary.unlink()


def open_bytes(path: Path) -> BinaryIO:
    """Returns a file, opened to read its bytes.

    Raises:
        InputError: it is missing, unreadable, or no regular file. A folder has no bytes, and those
            of a device or a pipe may never end or never come.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InputError("file-is-folder", f"{path} is a folder. A file was expected.")
        if not stat.S_ISREG(mode):
            raise InputError(
                "file-not-regular",
                f"{path} is a device, a pipe or a socket. A file was expected. Save its content "
                "to a file first.",
            )
        return path.open("rb")
    except FileNotFoundError:
        raise InputError("file-missing", f"{path} does not exist.") from None
    except OSError as error:
        raise InputError(
            "file-unreadable", f"{path} could not be read: {error.strerror or error}."
        ) from error
    except ValueError:
        raise InputError(
            "file-name-invalid",
            f"{str(path)!r} cannot be the name of a file: it contains a null byte.",
        ) from None


def read_bytes(path: Path) -> bytes:
    """Returns the bytes of a file.

    Raises:
        InputError: as `open_bytes`, or its bytes cannot be read.
    """
    with open_bytes(path) as file:
        try:
            return file.read()
        except OSError as error:
            raise InputError(
                "file-unreadable", f"{path} could not be read: {error.strerror or error}."
            ) from error


def sha256(data: bytes) -> str:
    """Returns the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def remove_drafts(folder: Path) -> None:
    """Removes the unfinished files and folders that a killed process left below a folder."""
    for path in [path for path in folder.rglob(".*") if _DRAFT.fullmatch(path.name)]:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
