"""Compare: evaluations, runs and repeated experiments become one comparison."""

from collections.abc import Sequence
from pathlib import Path

from pulmo.compare.compared_models import Entry, read_entries
from pulmo.compare.pairing import corrected, pair
from pulmo.core.errors import UsageError
from pulmo.evaluate.warnings import unstated_sentence
from pulmo.report.comparison import Comparison, PairedTest
from pulmo.report.comparison_page import ComparisonContent


def compare(folders: Sequence[Path], against: Path | None = None) -> ComparisonContent:
    """Puts folders side by side, and tests each against one of them on the same images.

    Args:
        folders: evaluations, finished runs, or repeated experiments.
        against: the one that the others are tested against; the first if it is None.

    Raises:
        UsageError: a folder is named twice, or `against` is none of them.
        InputError: a folder is none of the three, or a file in it cannot be read.
    """
    entries = read_entries(folders)
    places = [folder.resolve() for folder in folders]
    if against is not None and against.resolve() not in places:
        raise UsageError(f"--against {against} is none of the folders to compare.")
    reference = entries[0 if against is None else places.index(against.resolve())]
    tests: list[PairedTest] = []
    notes = [
        f"{entry.entrant.name}: {unstated_sentence(entry.unstated)}"
        for entry in entries
        if entry.unstated
    ]
    for entry in entries:
        if entry is not reference:
            found, said = _tests(entry, reference)
            tests += found
            notes += said
    comparison = Comparison(
        entrants=tuple(entry.entrant for entry in entries),
        against=reference.entrant.name,
        tests=tuple(corrected(tests)),
        notes=tuple(notes),
    )
    return ComparisonContent(
        comparison,
        {entry.entrant.name: entry.roc for entry in entries if entry.roc},
        {entry.entrant.name: entry.histories for entry in entries if entry.histories},
    )


def _tests(entry: Entry, reference: Entry) -> tuple[list[PairedTest], list[str]]:
    """Returns the paired tests of one against the reference, and why one is missing."""
    name, against = entry.entrant.name, reference.entrant.name
    if entry.predictions and reference.predictions:
        return pair(name, entry.predictions, against, reference.predictions)
    lacking = entry.entrant.name if reference.predictions else against
    note = (
        f"No paired test of {name} and {against}: {lacking} has no predictions of held-out "
        "images that agree with its metrics; evaluate its bundle."
    )
    return [], [note]
