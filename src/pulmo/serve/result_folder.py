"""The results in a folder: evaluations, audits, comparisons and runs, and how far a training is.

It reads alone, and nothing outside the folder: links are not followed.
"""

import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal, NamedTuple

from pydantic import ValidationError

from pulmo.bundle.card import Epoch
from pulmo.core.folders import (
    AuditFolder,
    ComparisonFolder,
    EvaluationFolder,
    FeaturesFolder,
    GalleryFolder,
    InspectionFolder,
    RepeatsFolder,
    RunFolder,
)
from pulmo.core.record import Record
from pulmo.core.training import TrainSection
from pulmo.serve.result_facts import facts_of

Kind = Literal[
    "run", "evaluation", "audit", "comparison", "inspection", "gallery", "features", "repeats"
]

_HERE: Final = Path()
_INDEX: Final[Mapping[str, Kind]] = {
    RunFolder(_HERE).history.name: "run",
    EvaluationFolder(_HERE).index.name: "evaluation",
    AuditFolder(_HERE).index.name: "audit",
    ComparisonFolder(_HERE).index.name: "comparison",
    InspectionFolder(_HERE).index.name: "inspection",
    GalleryFolder(_HERE).index.name: "gallery",
    FeaturesFolder(_HERE).index.name: "features",
    RepeatsFolder(_HERE).index.name: "repeats",
}
"""The file that a folder of a kind has."""

_PAGE: Final[Mapping[Kind, str]] = {
    "evaluation": EvaluationFolder(_HERE).page.name,
    "audit": AuditFolder(_HERE).page.name,
    "comparison": ComparisonFolder(_HERE).page.name,
    "inspection": InspectionFolder(_HERE).page.name,
    "gallery": GalleryFolder(_HERE).page.name,
    "features": FeaturesFolder(_HERE).page.name,
}
_DEEPEST: Final = 6
_MOST_ENTRIES: Final = 50_000
"""Files and folders that are looked at: a folder of images may have very many."""

_MOST_BYTES: Final = 64 * 2**20
_RECENT_EPOCHS: Final = 5
"""From which the time of the next ones is taken."""


class ResultItem(Record):
    """A result of the folder."""

    path: str
    """Its folder, from the root, with slashes; blank for the root."""
    kind: Kind
    modified: str
    """Time in UTC, ISO 8601."""
    has_page: bool
    """Whether it has a page for people."""
    facts: list[tuple[str, str]]
    """What it says in short, each with what it is called."""


class ResultList(Record):
    """The results of the folder, the last changed first."""

    results: list[ResultItem]
    complete: bool
    """False if the folder has more files than are looked at."""


class RunProgress(Record):
    """How far a training is."""

    path: str
    finished: bool
    """Whether the run has its card, which is written last."""
    epochs: int | None
    """That the recipe has at most; null if it cannot be read."""
    modified: str
    """When the last epoch was written; time in UTC, ISO 8601."""
    seconds_left: float | None
    """At most, as fast as the last epochs; null if it is finished, or unknown."""
    history: list[Epoch]


class _Found(NamedTuple):
    """A result, its index, and the names of the files next to it."""

    path: str
    kind: Kind
    file: Path
    names: frozenset[str]


def results_of(root: Path) -> ResultList:
    """Returns the results of a folder and of those below it."""
    budget = [_MOST_ENTRIES]
    items = [_item(found) for found in _walk(root, "", _DEEPEST, budget)]
    items.sort(key=lambda item: item.modified, reverse=True)
    return ResultList(results=items, complete=budget[0] > 0)


def progress_of(root: Path, path: str) -> RunProgress | None:
    """Returns how far a training is; None if there is no such run."""
    folder = _inside(root, path)
    if folder is None:
        return None
    run = RunFolder(folder)
    text = _read(run.history)
    if text is None:
        return None
    history = list(_epochs(text))
    finished = run.card.is_file()
    epochs = _planned(_read(run.recipe))
    left = None
    if not finished and epochs is not None and history:
        recent = [epoch.seconds for epoch in history[-_RECENT_EPOCHS:]]
        left = max(0, epochs - len(history)) * sum(recent) / len(recent)
    return RunProgress(
        path=path,
        finished=finished,
        epochs=epochs,
        modified=_modified(run.history),
        seconds_left=left,
        history=history,
    )


def page_of(root: Path, path: str, kind: str) -> bytes | None:
    """Returns the page of a result; None if there is none."""
    folder = _inside(root, path)
    name = next((name for known, name in _PAGE.items() if known == kind), None)
    return None if folder is None or name is None else _read(folder / name)


def _walk(folder: Path, path: str, depth: int, budget: list[int]) -> Iterator[_Found]:
    """Yields what is found in a folder and below it; the budget counts down to 0."""
    try:
        with os.scandir(folder) as entries:
            found = []
            for entry in entries:
                budget[0] -= 1
                if budget[0] <= 0:
                    return
                found.append(entry)
    except OSError:
        # It is gone, or not for us to read.
        return
    names = frozenset(entry.name for entry in found if entry.is_file(follow_symlinks=False))
    for name, kind in _INDEX.items():
        if name in names:
            yield _Found(path, kind, folder / name, names)
    for entry in sorted(found, key=lambda entry: entry.name):
        is_shown = not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
        if is_shown and depth:
            below = f"{path}/{entry.name}".lstrip("/")
            yield from _walk(Path(entry.path), below, depth - 1, budget)


def _item(found: _Found) -> ResultItem:
    try:
        known = found.file.stat()
        facts = _facts(found.file, found.kind, known.st_mtime_ns, known.st_size)
        modified = _modified(found.file)
    except OSError:
        facts, modified = [], ""
    return ResultItem(
        path=found.path,
        kind=found.kind,
        modified=modified,
        has_page=_PAGE.get(found.kind) in found.names,
        facts=facts,
    )


@lru_cache(maxsize=4096)
def _facts(index: Path, kind: Kind, _modified: int, _size: int) -> list[tuple[str, str]]:
    """Returns what an index says in short, read once for each of its states."""
    # The index of a run may be long, and says nothing that is listed.
    return [] if kind == "run" else facts_of(kind, _read(index) or b"")


def _inside(root: Path, path: str) -> Path | None:
    """Returns a folder below the root; None if it is none, or a link leads to it."""
    if "\0" in path or "\\" in path or path.startswith("/"):
        return None
    folder = root
    for part in PurePosixPath(path).parts:
        folder = folder / part
        if part == ".." or folder.is_symlink():
            return None
    return folder if folder.is_dir() else None


def _read(file: Path) -> bytes | None:
    """Returns a file's bytes; None if there is no such file, it is a link, or too large."""
    try:
        # Neither a link nor a pipe that nobody writes to.
        number = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        state = os.fstat(number)
        if not stat.S_ISREG(state.st_mode) or state.st_size > _MOST_BYTES:
            return None
        with open(number, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(number)


def _epochs(text: bytes) -> Iterator[Epoch]:
    """Yields the epochs up to a line that is none."""
    for line in text.splitlines():
        try:
            yield Epoch.model_validate_json(line)
        except ValidationError:
            return


def _planned(text: bytes | None) -> int | None:
    """Returns how many epochs a recipe has at most; None if it cannot be read."""
    try:
        table: Any = tomllib.loads((text or b"").decode())
        return sum(stage.epochs for stage in TrainSection(**table["train"]).plan)
    except (KeyError, TypeError, ValueError):
        return None


def _modified(file: Path) -> str:
    moment = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
