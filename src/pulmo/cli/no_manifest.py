"""What to type where a folder or a table of images was given instead of a manifest."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pulmo.core.errors import PulmoError

_WITHOUT_SPLIT: Final = frozenset({"split", "inspect", "curate", "merge"})
"""Verbs that take a manifest before it has a split."""


def lines_to_type(given: Path, typed: Sequence[str]) -> list[str]:
    """Returns the commands that make a manifest, and the one that was typed with it.

    Args:
        given: the folder or the table that was given.
        typed: the command line, without the program's name.
    """
    from pulmo.core.run_folder import RunFolder

    if (own := RunFolder(given).manifest).is_file():
        return [_again(given, typed, own)]
    manifest = Path(f"{given.stem if given.is_file() else given.resolve().name}.parquet")
    kind, doubt, official = "csv", "", False
    if given.is_dir():
        kind = "folder"
        doubt, official = _look(given)
    lines = [f"pulmo data import {kind} {_quoted(given)} -o {_quoted(manifest)}"]
    if not _WITHOUT_SPLIT & set(typed[:2]):
        keep = " --keep-official" if official else ""
        lines.append(f"pulmo data split {_quoted(manifest)}{keep} -o {_quoted(manifest)}")
    lines.append(_again(given, typed, manifest))
    return [f"({doubt})", *lines] if doubt else lines


def _look(folder: Path) -> tuple[str, bool]:
    """Returns what the import will say against a folder, and whether it has a split of its own."""
    from pulmo.datasets.layout import class_folders

    try:
        found = class_folders(folder, {})
    except PulmoError as error:
        return f"The import will ask: {error}", False
    return "", any(one.split for one in found)


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
