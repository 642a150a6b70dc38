"""The page of a comparison: tables, paired tests and curves of several models in one HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pulmo.bundle.card import RESEARCH_ONLY, Epoch
from pulmo.core.files import write_atomically
from pulmo.evaluate.evaluation import Curve
from pulmo.report import words
from pulmo.report.comparison import Comparison
from pulmo.report.comparison_figures import Stroke, draw_histories, draw_rocs
from pulmo.report.template import environment


@dataclass(frozen=True)
class ComparisonContent:
    """What the page of a comparison shows.

    Attributes:
        comparison: the figures and the tests.
        roc: entrant -> class -> ROC curve.
        histories: entrant -> the epochs of each of its runs.
    """

    comparison: Comparison
    roc: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)
    histories: Mapping[str, Sequence[Sequence[Epoch]]] = field(default_factory=dict)


def write_comparison(path: Path, content: ComparisonContent) -> None:
    """Writes a comparison as one HTML file, which is self-contained as that of `write_report`.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, render_comparison(content).encode())


def render_comparison(content: ComparisonContent) -> str:
    """Returns a comparison as HTML."""
    comparison = content.comparison
    entrants = comparison.entrants
    strokes = {entrant.name: Stroke(number) for number, entrant in enumerate(entrants)}
    names = dict.fromkeys(name for entrant in entrants for name in entrant.figures)
    return (
        environment()
        .get_template("compare.html.j2")
        .render(
            comparison=comparison,
            notice=RESEARCH_ONLY,
            strokes=strokes,
            figures=list(names),
            classes=_classes(comparison),
            rocs=_rocs(content, strokes),
            learning=draw_histories(
                {name: (strokes[name], runs) for name, runs in content.histories.items()}
            ),
            notes=words.Footnotes(),
        )
    )


def _classes(comparison: Comparison) -> dict[str, list[str]]:
    """Returns class -> the metrics that any entrant has of it."""
    classes: dict[str, dict[str, None]] = {}
    for entrant in comparison.entrants:
        for label, metrics in entrant.classes.items():
            classes.setdefault(label, {}).update(dict.fromkeys(metrics))
    return {label: list(metrics) for label, metrics in classes.items()}


def _rocs(content: ComparisonContent, strokes: Mapping[str, Stroke]) -> dict[str, str]:
    """Returns class -> figure of the curves of all entrants that have one."""
    labels = dict.fromkeys(label for curves in content.roc.values() for label in curves)
    return {
        label: draw_rocs(
            number,
            label,
            {
                name: (strokes[name], curves[label])
                for name, curves in content.roc.items()
                if label in curves
            },
        )
        for number, label in enumerate(labels)
    }
