"""What a source says of its images, in columns, before any of them is read."""

import os
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final, NamedTuple

import pyarrow as pa

from pulmo.core.boxes import boxes_to_text
from pulmo.datasets.columns import TEXT, Columns, to_frame
from pulmo.datasets.source import Entry, Problem

_NUMBERS: Final = {"age", "offset"}

INDEX: Final = pa.schema(
    [(name, pa.float64() if name in _NUMBERS else TEXT) for name in Entry._fields]
)
"""The columns of an index: those of `Entry`, with its path resolved and its boxes as text."""


class Indexed(NamedTuple):
    """The images of a data set, each once, and what was found wrong with the others."""

    entries: pa.Table
    problems: list[Problem]


def index_entries(
    items: Iterable[Entry | Problem], on_progress: Callable[[int, int], None] | None = None
) -> Indexed:
    """Returns what a source yields.

    A second entry that leads to the same file becomes a problem. So do all of a file's entries if
    they give it different labels, and one whose name no manifest can hold.

    Args:
        items: of a source.
        on_progress: called with the entries so far, and 0, since nobody knows how many come.
    """
    rows = Columns(INDEX)
    problems: list[Problem] = []
    # Most files of a set are in few folders.
    resolve = lru_cache(maxsize=1024)(os.path.realpath)
    for item in items:
        if isinstance(item, Problem):
            problems.append(item)
            continue
        path = _resolved(item.path, resolve)
        # Arrow's text, and Parquet's, is UTF-8. The source may take words from a name.
        if _is_utf8(path) and _is_utf8(str(item.path)):
            rows.append(item._replace(path=path, boxes=boxes_to_text(item.boxes)))  # type: ignore[arg-type]
        else:
            reason = "its name is not UTF-8, as a manifest needs; rename it"
            problems.append(Problem(str(item.path), reason))
        if on_progress:
            on_progress(len(rows), 0)
    entries, repeated = _each_once(rows.table())
    return Indexed(entries, problems + repeated)


def _resolved(path: Path, resolve: Callable[[str], str]) -> str:
    """Returns the path of a file without links, as a manifest has it."""
    folder, name = os.path.split(path)
    whole = f"{resolve(folder)}/{name}"
    return resolve(whole) if os.path.islink(whole) else whole  # noqa: PTH114 - a Path is slow


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _each_once(entries: pa.Table) -> tuple[pa.Table, list[Problem]]:
    """Returns the entries of different files, and a problem for each other entry."""
    frame = to_frame(entries.select(["path", "label"]))
    several = frame["path"].duplicated(keep=False)
    if not several.any():
        return entries, []
    rows = frame[several]
    agree = rows.groupby("path")["label"].transform("nunique") == 1
    again = rows["path"].duplicated()
    problems = [
        Problem(str(path), f"it is found with different labels: {', '.join(sorted(set(labels)))}")
        for path, labels in rows[~agree].groupby("path", sort=False)["label"]
    ]
    problems += [
        Problem(str(path), "it is found twice; one counts") for path in rows["path"][agree & again]
    ]
    kept = ~several
    kept[several] = agree & ~again
    return entries.filter(pa.array(kept)), problems
