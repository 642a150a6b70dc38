"""Files and folders for results, checked before the work that fills them."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes

PARQUET: Final = b"PAR1"
"""The first bytes of a Parquet table, and so of every manifest."""


def claim_folder(folder: Path) -> None:
    """Makes a folder, if need be, and tries that files can be written to it.

    Raises:
        InputError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except FileExistsError:
        raise InputError("folder-is-file", f"{folder} is a file; a folder was expected.") from None
    except OSError as error:
        raise InputError(
            "folder-not-writable", f"{folder} cannot be written to: {error.strerror or error}."
        ) from error


@contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Claims a folder; if the work fails before anything is in it, what was made is removed.

    Raises:
        InputError: it cannot be made or written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        claim_folder(folder)
        yield
    except BaseException:
        for path in made:
            # One that holds something stays.
            with suppress(OSError):
                path.rmdir()
        raise


def claim_file(path: Path, begins: bytes = b"") -> None:
    """Checks that a file can be written; one that is there is left as it is.

    Args:
        path: the file.
        begins: how a file of its kind begins; one that begins otherwise is not to be lost.

    Raises:
        InputError: it is a folder or a file of another kind, or its folder cannot be made or
            written to.
    """
    if path.is_dir():
        raise InputError("file-is-folder", f"{path} is a folder; a file was expected.")
    claim_folder(path.parent)
    if path.exists():
        with open_bytes(path) as file:
            start = file.read(len(begins))
        if start and start != begins:
            raise InputError(
                "file-exists",
                f"{path} exists and is a file of another kind; it is not overwritten. Name another "
                "file, or remove it.",
            )
