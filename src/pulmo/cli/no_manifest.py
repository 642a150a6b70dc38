"""What to type where a folder or a table of images was given instead of a manifest."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pulmo.workflows.folder_look import FolderLook

_WITHOUT_SPLIT: Final = frozenset({"split", "inspect", "curate", "merge"})
"""Verbs that take a manifest before it has a split."""


def lines_to_type(given: Path, typed: Sequence[str]) -> list[str]:
    """Returns the commands that make a manifest, and the one that was typed with it.

    Args:
        given: the folder or the table that was given.
        typed: the command line, without the program's name.
    """
    from pulmo.core.folders import RunFolder
    from pulmo.workflows.folder_look import FolderLook, look_into

    if (own := RunFolder(given).manifest).is_file():
        return [_again(given, typed, own)]
    manifest = Path(f"{given.stem if given.is_file() else given.resolve().name}.parquet")
    look = look_into(given) if given.is_dir() else FolderLook()
    kind = "folder" if given.is_dir() else "csv"
    maps = [word for name, label in look.meant for word in ("--map", f"{name}={label or 'LABEL'}")]
    read = ["pulmo", "data", "import", kind, str(given), *maps, "-o", str(manifest)]
    lines = [*_doubt(look), shlex.join(read)]
    if not _WITHOUT_SPLIT & set(typed[:2]):
        keep = ["--keep-official"] if look.official else []
        divide = ["pulmo", "data", "split", str(manifest), *keep, "-o", str(manifest)]
        lines.append(shlex.join(divide))
    return [*lines, _again(given, typed, manifest)]


def _doubt(look: "FolderLook") -> list[str]:
    """Returns what the user must decide before the import, as a line; empty if nothing."""
    if look.refusal:
        return [f"(The import will say: {look.refusal})"]
    if look.meant:
        said = ", ".join(f"{name} as {label or 'LABEL'}" for name, label in look.meant)
        return [f"(Check what each --map says: {said}.)"]
    return []


def _again(given: Path, typed: Sequence[str], manifest: Path) -> str:
    """Returns the command that was typed, with the manifest."""
    words = [str(manifest) if Path(word) == given else word for word in typed]
    words = [
        f"--data={manifest}" if word.startswith("--data=") and Path(word[7:]) == given else word
        for word in words
    ]
    return shlex.join(["pulmo", *words])
