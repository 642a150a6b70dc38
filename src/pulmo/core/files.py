"""Files that are whole or absent: written to a temporary name, flushed, renamed."""

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from pulmo.core.errors import InputError


def write_atomically(path: Path, data: bytes) -> None:
    """Writes `data` to `path`, so that a reader sees the old file or the new one, never a part.

    Raises:
        InputError: the file cannot be written (a full disk, no permission); what was at `path`
            before is still there.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.") from error
    finally:
        # After an error, and after an interruption too.
        with suppress(OSError):
            temporary.unlink()


def read_bytes(path: Path) -> bytes:
    """Returns the bytes of a file.

    Raises:
        InputError: it is missing, a folder, or unreadable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise InputError(f"{path} does not exist.") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; a file was expected.") from None
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.") from error


def sha256(data: bytes) -> str:
    """Returns the SHA-256 of `data` as 64 hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()
