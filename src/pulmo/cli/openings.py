"""Where a command writes down that a test was opened, and that it does."""

from pathlib import Path
from typing import TYPE_CHECKING

from pulmo.cli.console import say

if TYPE_CHECKING:
    from pulmo.evaluate.openings import Opening


def lists_of(model: Path, run: Path | None) -> list[Path]:
    """Returns the lists of openings: beside a model and, if it is named, in its run."""
    from pulmo.core.folders import BundleFolder, RunFolder

    beside = BundleFolder(model if model.is_dir() else model.parent).openings
    return [beside] if run is None else [beside, RunFolder(run).openings]


def note(opening: "Opening | None", lists: list[Path]) -> int | None:
    """Writes an opening down and returns how often the test has been opened with the model.

    None if none was opened. A list that cannot be written is told of.
    """
    from pulmo.evaluate.openings import note_opening

    if opening is None:
        return None
    noted = note_opening(opening, lists)
    for failure in noted.failures:
        say(failure)
    return noted.times
