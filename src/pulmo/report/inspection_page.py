"""The page of an inspection: what a manifest holds, and what gives its classes away."""

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from pulmo.core.files import write_atomically
from pulmo.core.sources import is_stated
from pulmo.datasets.inspect.inspection import NOT_STATED, QUANTILES, Clue, Crossing, Inspection
from pulmo.datasets.inspect.samples import Sample
from pulmo.datasets.inspect.sentences import name_of
from pulmo.report import words
from pulmo.report.gallery import file_name
from pulmo.report.lines import Line
from pulmo.report.template import render
from pulmo.stats.estimate import Estimate

_QUALITY: Final = 78

_QUANTITIES: Final = {
    "width": "Width in pixels",
    "height": "Height in pixels",
    "aspect": "Aspect ratio, width over height",
    "bytes": "File size",
    "bytes_per_pixel": "Bytes per pixel",
    "age": "Age in years",
}

_DECIMALS: Final = {"aspect": 2, "bytes_per_pixel": 3}

_ENDS: Final = {0.0: "minimum", 0.5: "median", 1.0: "maximum"}
_QUANTILES: Final = tuple(_ENDS.get(share, f"{100 * share:.0f}\u00a0%") for share in QUANTILES)

_COPIES: Final = {
    "same_bytes": "Files of identical content",
    "same_pixels": "Images of identical pixels",
    "groups_across_sources": "Groups in several sources",
    "groups_with_several_labels": "Groups with several classes",
    "patients_with_several_labels": "Patients with several classes",
    "groups_across_splits": "Groups in several splits",
}


@dataclass(frozen=True)
class InspectionContent:
    """What the page of an inspection shows.

    Attributes:
        inspection: the results.
        samples: images, in the order in which they are shown; may be empty.
        drawn: how many samples of each class and source were asked for.
    """

    inspection: Inspection
    samples: Sequence[Sample] = ()
    drawn: int = 0


def write_inspection(path: Path, content: InspectionContent) -> None:
    """Writes an inspection as one HTML file, which is self-contained as that of `write_report`.

    It names files without their folders.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, render_inspection(content).encode())


def render_inspection(content: InspectionContent) -> str:
    """Returns an inspection as HTML."""
    inspection = content.inspection
    clues = inspection.confounding.clues.values()
    sources = inspection.crossings["source"]
    tried = [clue for clue in clues if clue.classes]
    return render(
        "inspection",
        {
            "inspection": inspection,
            "classes": list(inspection.labels),
            "stated_sources": sum(name != NOT_STATED and is_stated(name) for name in sources.rows)
            + sources.others,
            "flagged": [clue for clue in tried if clue.flagged],
            "groups": _clue_groups(tried),
            "columns": {_clue_name(clue): clue.columns for clue in tried if len(clue.columns) > 1},
            "partial": {
                _clue_name(clue): clue.classes
                for clue in tried
                if len(clue.classes) < len(inspection.labels)
            },
            "untried": _untried(inspection),
            "tables": {
                name: _rows(crossing)
                for name, crossing in inspection.crossings.items()
                if len(crossing.rows) > 1
            },
            "uniform": {
                name: next(iter(crossing.rows))
                for name, crossing in inspection.crossings.items()
                if len(crossing.rows) == 1 and NOT_STATED not in crossing.rows
            },
            "silent": [n for n, c in inspection.crossings.items() if set(c.rows) <= {NOT_STATED}],
            "missing": {
                n: counts for n, counts in inspection.missing.items() if any(counts.values())
            },
            "noted_classes": {one.says: one.classes for one in inspection.notes.values()},
            "noted_sources": {one.says: one.sources for one in inspection.notes.values()},
            "note_sources": list(
                dict.fromkeys(name for one in inspection.notes.values() for name in one.sources)
            ),
            "samples": _by_class(content),
            "drawn": content.drawn,
            "failed": _failures(inspection),
            "quantities": _QUANTITIES,
            "quantiles": _QUANTILES,
            "copies": _COPIES,
            "amount": amount,
            "bars": _bars,
            "data_uri": _data_uri,
        },
    )


def _clue_name(clue: Clue) -> str:
    return "All facts of the file" if clue.name == "file" else name_of(clue.name).capitalize()


def _clue_groups(clues: Sequence[Clue]) -> dict[str, list[Line]]:
    """Returns metric -> a line for each clue; the baseline is the value without the clue."""

    def one(clue: Clue, estimate: Estimate, baseline: float | None, word: str) -> Line:
        verdict = "predicts the class" if clue.flagged else "not clearly"
        without = "" if baseline is None else f"; {word} {baseline:.3f}"
        return Line(
            _clue_name(clue),
            estimate,
            note=f"{verdict}{without}",
            baseline=baseline,
            flagged=clue.flagged,
        )

    return {
        "Balanced accuracy": [one(c, c.balanced_accuracy, c.chance, "chance") for c in clues],
        "Accuracy": [one(c, c.accuracy, c.commonest, "commonest class") for c in clues],
        "Cramer's V": [one(c, c.v, None, "") for c in clues],
    }


def amount(quantity: str, value: float) -> str:
    """Gives a value of a quantity as a table shows it."""
    if quantity == "bytes":
        return _bytes(value)
    return f"{value:,.{_DECIMALS.get(quantity, 0)}f}"


def _bytes(value: float) -> str:
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


def _bars(counts: Sequence[int]) -> list[float]:
    """Returns the heights of a histogram's bars, 0 to 1."""
    tallest = max(*counts, 1)
    return [count / tallest for count in counts]


def _rows(crossing: Crossing) -> dict[str, dict[str, int]]:
    """Returns the rows of a crossing's table, those beyond the listed values in the last."""
    if not crossing.others:
        return crossing.rows
    return crossing.rows | {f"{crossing.others:,} further values": crossing.of_others}


def _untried(inspection: Inspection) -> dict[str, list[str]]:
    """Returns reason -> clues that were not tried for it."""
    reasons: dict[str, list[str]] = {}
    for name, clue in inspection.confounding.clues.items():
        if not clue.classes:
            reasons.setdefault(clue.accuracy.reason or "", []).append(name_of(name))
    return reasons


def _by_class(content: InspectionContent) -> dict[str, dict[str, list[Sample]]]:
    """Returns class -> source -> its samples, in the order of the samples."""
    classes: dict[str, dict[str, list[Sample]]] = {}
    for sample in content.samples:
        classes.setdefault(sample.label, {}).setdefault(sample.source, []).append(sample)
    return classes


def _failures(inspection: Inspection) -> list[tuple[str, str]]:
    """Returns the name of each failed file and the reason, without folders."""
    return [
        (
            file_name(one.path),
            words.without_folders(one.reason.replace(one.path, file_name(one.path))),
        )
        for one in inspection.failed
    ]


def _data_uri(sample: Sample) -> str:
    buffer = io.BytesIO()
    Image.fromarray(sample.pixels).save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()
