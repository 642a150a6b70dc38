"""Places for results, checked before the work whose results go there."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from pulmo.cli.console import say
from pulmo.core.errors import InputError
from pulmo.core.files import open_bytes

PARQUET: Final = b"PAR1"
"""How a Parquet table begins, as every manifest is one."""


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


def chosen_output(given: Path | None, derived: Path) -> Path:
    """Returns where a command writes: where it was told to, else a derived place, which it says."""
    if given is not None:
        return given
    say(f"Without -o this goes to {derived}.")
    return derived


@contextmanager
def claimed_folder(folder: Path) -> Iterator[None]:
    """Claims a folder, and takes it away again if the work fails before anything is in it.

    Raises:
        InputError: it cannot be made or written to.
    """
    there = folder.exists()
    claim_folder(folder)
    try:
        yield
    except BaseException:
        if not there:
            # One that holds something stays.
            with suppress(OSError):
                folder.rmdir()
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
                f"{path} is there and is not what would be written; it is not overwritten. Name "
                "another file, or remove it.",
            )
