"""What to type where a folder or a table of images was given instead of a manifest."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import PulmoError

_WITHOUT_SPLIT: Final = frozenset({"split", "inspect", "curate", "merge"})
"""Verbs that take a manifest before it has a split."""


def lines_to_type(given: Path, typed: Sequence[str]) -> list[str]:
    """Returns the commands that make a manifest, and the one that was typed with it.

    Args:
        given: the folder or the table that was given.
        typed: the command line, without the program's name.
    """
    from pulmo.core.folders import RunFolder

    if (own := RunFolder(given).manifest).is_file():
        return [_again(given, typed, own)]
    manifest = Path(f"{given.stem if given.is_file() else given.resolve().name}.parquet")
    look = _look(given) if given.is_dir() else _Look()
    kind = "folder" if given.is_dir() else "csv"
    maps = "".join(f" --map {shlex.quote(f'{name}={label}')}" for name, label in look.maps)
    lines = [f"pulmo data import {kind} {_quoted(given)}{maps} -o {_quoted(manifest)}"]
    if not _WITHOUT_SPLIT & set(typed[:2]):
        keep = " --keep-official" if look.official else ""
        lines.append(f"pulmo data split {_quoted(manifest)}{keep} -o {_quoted(manifest)}")
    lines.append(_again(given, typed, manifest))
    return [f"({look.doubt})", *lines] if look.doubt else lines


class _Look(NamedTuple):
    """What was found in a folder.

    Attributes:
        doubt: what the user must decide before the import, as a sentence; blank if nothing.
        maps: class name -> label, as far as a name is none but near one.
        official: whether it has a split of its own.
    """

    doubt: str = ""
    maps: tuple[tuple[str, str], ...] = ()
    official: bool = False


def _look(folder: Path) -> _Look:
    """Looks for the classes of a folder as the import does."""
    from pulmo.datasets.class_names import UnknownClassesError
    from pulmo.datasets.layout import class_folders

    try:
        found = class_folders(folder, {})
    except UnknownClassesError as error:
        maps = tuple((name, label or "LABEL") for name, label in error.meant.items())
        try:
            known = {name: label or "other" for name, label in error.meant.items()}
            official = any(one.split for one in class_folders(folder, known))
        except PulmoError as further:
            return _Look(f"The import will say: {further}", maps)
        said = ", ".join(f"{name} as {label}" for name, label in maps)
        return _Look(f"Check what each --map says: {said}.", maps, official)
    except PulmoError as error:
        return _Look(f"The import will say: {error}")
    return _Look(official=any(one.split for one in found))


def _again(given: Path, typed: Sequence[str], manifest: Path) -> str:
    """Returns the command that was typed, with the manifest."""
    words = [str(manifest) if Path(word) == given else word for word in typed]
    words = [
        f"--data={manifest}" if word.startswith("--data=") and Path(word[7:]) == given else word
        for word in words
    ]
    return shlex.join(["pulmo", *words])


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
