"""The page of an evaluation of several findings a film: all together, and a line for each."""

import re
from collections.abc import Iterable
from pathlib import Path

from pulmo.bundle.card import RESEARCH_ONLY
from pulmo.core.files import write_atomically
from pulmo.evaluate.evaluation import Evaluation, Subgroup
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.report import words
from pulmo.report.score_figures import draw_forest
from pulmo.report.template import environment
from pulmo.stats.multilabel.estimates import LABELS_METRICS

_LONGEST = 60


def label_folders(labels: Iterable[str]) -> dict[str, str]:
    """Returns finding -> its folder, below that of the evaluation.

    A folder's name has small letters of ASCII, digits and hyphens; no two have the same.
    """
    folders: dict[str, str] = {}
    for label in labels:
        words_of = re.sub(r"[^a-z0-9]+", "-", label.lower())[:_LONGEST].strip("-") or "finding"
        name, number = words_of, 1
        while f"labels/{name}" in folders.values():
            number += 1
            name = f"{words_of}-{number}"
        folders[label] = f"labels/{name}"
    return folders


def write_labels_report(path: Path, evaluation: LabelsEvaluation) -> None:
    """Writes the page as one HTML file, which is self-contained as that of `write_report`.

    It links to `report.html` in each of `label_folders`.

    Raises:
        InputError: the file cannot be written.
    """
    write_atomically(path, render_labels_report(evaluation).encode())


def render_labels_report(evaluation: LabelsEvaluation) -> str:
    """Returns the page as HTML."""
    rows = [_row(label, one) for label, one in evaluation.labels.items()]
    forests = {
        title: draw_forest(rows, figure)
        for title, figure in {
            "AUC": "auc",
            "Sensitivity": "sensitivity",
            "Specificity": "specificity",
        }.items()
    }
    return (
        environment()
        .get_template("labels.html.j2")
        .render(
            evaluation=evaluation,
            folders=label_folders(evaluation.labels),
            warnings=[words.without_folders(text) for text in evaluation.warnings],
            summaries={name: metric.summary for name, metric in LABELS_METRICS.items()},
            forests={title: drawing for title, drawing in forests.items() if drawing},
            thresholds=_thresholds(evaluation),
            notes=words.Footnotes(),
            notice=RESEARCH_ONLY,
        )
    )


def _row(label: str, one: Evaluation) -> Subgroup:
    """Returns a finding as a row of a forest."""
    return Subgroup(
        fact="finding",
        name=label,
        n=one.data.n,
        groups=one.data.groups,
        accuracy=one.overall["accuracy"],
        auc=one.classes[label]["auc"],
        sensitivity=one.decision.sensitivity,
        specificity=one.decision.specificity,
    )


def _thresholds(evaluation: LabelsEvaluation) -> str:
    """Returns how it was decided, in a sentence."""
    found = {one.decision.threshold for one in evaluation.labels.values()}
    stated = sorted(limit for limit in found if limit is not None)
    if not stated:
        return "The table says what was called."
    limits = " or ".join(f"{limit:g}" for limit in stated)
    sentence = f"A finding is called where its probability is at least {limits}"
    return f"{sentence}, or where the table says so." if None in found else f"{sentence}."
