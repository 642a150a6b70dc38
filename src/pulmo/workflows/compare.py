"""Compare: evaluations, runs and repeated experiments become one comparison."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from pulmo.compare.compared_models import Entry, read_entries
from pulmo.compare.order import orders
from pulmo.compare.pairing import corrected, pair
from pulmo.core.errors import UsageError
from pulmo.core.folders import ComparisonFolder
from pulmo.core.output import claim_folder
from pulmo.core.record import write_record
from pulmo.evaluate.warnings import unstated_source
from pulmo.report.comparison import Comparison, PairedTest
from pulmo.report.comparison_page import ComparisonContent, write_comparison
from pulmo.workflows.evaluation_report import estimates_frame, report_html


@dataclass(frozen=True, eq=False)
class ComparisonReport:
    """Models side by side; in a notebook it shows itself.

    Attributes:
        content: their values and the paired tests, with what the page draws.
    """

    content: ComparisonContent = field(repr=False)

    @property
    def comparison(self) -> Comparison:
        """The models with their values, and the paired tests."""
        return self.content.comparison

    @property
    def warnings(self) -> tuple[str, ...]:
        """Which sources are not stated, and why there is no paired test, as sentences."""
        return self.comparison.notes

    def to_frame(self) -> pd.DataFrame:
        """Returns a row a model and value over all classes.

        The columns are `model`, `metric`, `value`, the ends `low` and `high` of the 95 % interval,
        the number of images `n`, and the `reason` why a value is undefined.
        """
        rows = [
            (model.name, name, value)
            for model in self.comparison.models
            for name, value in model.metrics.items()
        ]
        return estimates_frame(rows).rename(columns={"class": "model"})

    def save(self, folder: str | os.PathLike[str]) -> None:
        """Writes the page and the comparison; the index comes last.

        Raises:
            InputError: a file cannot be written.
        """
        to = ComparisonFolder(Path(folder))
        claim_folder(to.root)
        write_comparison(to.page, self.content)
        write_record(to.index, self.comparison)

    def _repr_html_(self) -> str:
        title = f"{len(self.comparison.models)} models"
        return report_html(title, self.to_frame(), self.warnings)


def compare(
    folders: Sequence[str | os.PathLike[str]],
    *,
    against: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
) -> ComparisonReport:
    """Puts models side by side, and tests each against one of them on the same images.

    Args:
        folders: two or more evaluations, finished runs, or repeated experiments.
        against: the one that the others are tested against; the first if it is None.
        output: the folder for the comparison and its page; None writes neither.

    Raises:
        UsageError: there are fewer than two folders, one is named twice, or `against` is none of
            them.
        InputError: a folder is none of the three, or a file cannot be read or written.
    """
    if len(folders) < 2:
        raise UsageError("comparison-too-few", "A comparison needs two folders or more.")
    paths = [Path(folder) for folder in folders]
    entries = read_entries(paths)
    places = [path.resolve() for path in paths]
    if against is not None and Path(against).resolve() not in places:
        raise UsageError(
            "comparison-reference-unknown", f"{against} is not among the folders to compare."
        )
    reference = entries[0 if against is None else places.index(Path(against).resolve())]
    if output is not None:
        claim_folder(Path(output))
    tests: list[PairedTest] = []
    notes = [
        f"{entry.model.name}: {unstated_source(entry.unstated).text}"
        for entry in entries
        if entry.unstated
    ]
    for entry in entries:
        if entry is not reference:
            found, said = _tests(entry, reference)
            tests += found
            notes += said
    models = tuple(entry.model for entry in entries)
    comparison = Comparison(
        models=models,
        against=reference.model.name,
        tests=tuple(corrected(tests)),
        notes=tuple(notes),
        orders=tuple(orders(models)),
    )
    content = ComparisonContent(
        comparison,
        {entry.model.name: entry.roc for entry in entries if entry.roc},
        {entry.model.name: entry.histories for entry in entries if entry.histories},
    )
    report = ComparisonReport(content)
    if output is not None:
        report.save(output)
    return report


def _tests(entry: Entry, reference: Entry) -> tuple[list[PairedTest], list[str]]:
    """Returns the paired tests of one against the reference, and why one is missing."""
    name, against = entry.model.name, reference.model.name
    if entry.predictions and reference.predictions:
        return pair(name, entry.predictions, against, reference.predictions)
    lacking = entry.model.name if reference.predictions else against
    note = (
        f"No paired test of {name} and {against}: {lacking} has no predictions of held-out "
        "images that agree with its metrics; evaluate its bundle."
    )
    return [], [note]
