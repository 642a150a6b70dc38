"""The page of an audit: its result, and the evidence of each check."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure

from pulmo.audit.check_result import ORDER, Audit, CheckResult, Series, Verdict
from pulmo.audit.result import ESSENTIAL
from pulmo.bundle.card import RESEARCH_ONLY, Card
from pulmo.core.files import write_atomically
from pulmo.report.svg import ACCENT, MUTED, draw_svg
from pulmo.report.template import render

_PANEL: Final = (3.6, 2.5)

VERDICTS: Final[dict[Verdict, str]] = {
    "fails": "Fails",
    "warns": "Warns",
    "could_not_run": "Could not run",
    "passes": "Passes",
}
"""Verdict -> what the page calls it."""

_STATEMENTS: Final[dict[Verdict, str]] = {
    "fails": "Not true on these images",
    "warns": "In doubt",
    "could_not_run": "Not checked",
    "passes": "True on these images",
}
"""Verdict -> how the page introduces the statement of a check."""


@dataclass(frozen=True)
class AuditContent:
    """What the page of an audit shows.

    Attributes:
        audit: the results of the checks.
        card: the card of the model; None if only its predictions are known.
        doubts: about the images and the model of the audit, as sentences.
    """

    audit: Audit
    card: Card | None
    doubts: Sequence[str] = ()


def write_audit(path: Path, content: AuditContent) -> None:
    """Writes an audit as one HTML file, which is self-contained as that of `write_report`.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, render_audit(content).encode())


def render_audit(content: AuditContent) -> str:
    """Returns an audit as HTML."""
    audit, card = content.audit, content.card
    made = {result.check: result for result in audit.checks}
    return render(
        "audit",
        {
            "audit": audit,
            "card": card,
            "order": list(audit.data.labels) if card is None else card.labels.order,
            "doubts": content.doubts,
            "verdicts": VERDICTS,
            "statements": _STATEMENTS,
            "tally": {
                verdict: [result.check for result in audit.checks if result.verdict == verdict]
                for verdict in ORDER
            },
            "essential": {name: made.get(name) for name in ESSENTIAL},
            "drawn": {result.check: _drawn(result) for result in audit.checks},
        },
        notice=RESEARCH_ONLY if card is None else card.notice,
    )


def _drawn(result: CheckResult) -> list[tuple[Series, str]]:
    """Returns each series of a result with its figure as SVG."""
    return [
        (
            series,
            draw_svg(
                f"{result.check}{number}",
                f"{series.title}: {series.y_label} against {series.x_label}",
                _PANEL,
                partial(_draw_series, series),
            ),
        )
        for number, series in enumerate(result.series)
    ]


def _draw_series(series: Series, figure: Figure) -> None:
    """Draws values with their intervals, and the value without a change as a line."""
    axes = figure.add_subplot()
    if series.reference is not None:
        axes.axhline(series.reference, color=MUTED, linewidth=1, linestyle=(0, (4, 2)))
    # A gap in the line is where the value is undefined.
    values = [math.nan if each.value is None else each.value for each in series.y]
    axes.plot(series.x, values, color=ACCENT, marker="o", markersize=3)
    for x, each in zip(series.x, series.y, strict=True):
        if each.low is not None and each.high is not None:
            axes.plot([x, x], [each.low, each.high], color=ACCENT, linewidth=1)
    axes.set_xlabel(series.x_label)
    axes.set_ylabel(series.y_label)
    axes.set_ylim(0, 1)
