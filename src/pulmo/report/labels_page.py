"""The page of an evaluation of several findings per image: all together, and each of them."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pulmo.core.files import write_atomically
from pulmo.core.message import texts
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.report.lines import DECIDED, Line
from pulmo.report.shortcuts import Verdict, within_source
from pulmo.report.template import render
from pulmo.report.words import metric_title
from pulmo.stats.multilabel.estimates import LABELS_METRICS

_KEY: Final = ("macro_auc", "macro_average_precision", "macro_f1", "subset_accuracy")
"""The metrics over all findings that the page shows first."""

_VERDICTS: Final[dict[Verdict, str]] = {
    "shown": "better than chance",
    "partly": "known in part",
    "refuted": "not better than chance",
    "unknown": "unknown",
}
_LONGEST: Final = 60


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
    groups = _groups(evaluation)
    overall = {
        name: Line(metric_title(name), estimate) for name, estimate in evaluation.overall.items()
    }
    return render(
        "labels",
        {
            "evaluation": evaluation,
            "order": list(evaluation.labels),
            "folders": label_folders(evaluation.labels),
            "warnings": list(texts(evaluation.warnings)),
            "key": [overall[name] for name in _KEY if name in overall],
            "within": _within(evaluation),
            "overall": list(overall.values()),
            "main": {title: groups[title] for title in groups if title in DECIDED.values()},
            "others": {title: groups[title] for title in groups if title not in DECIDED.values()},
            "summaries": {
                metric_title(name): metric.summary for name, metric in LABELS_METRICS.items()
            },
            "thresholds": _thresholds(evaluation),
        },
    )


def _groups(evaluation: LabelsEvaluation) -> dict[str, list[Line]]:
    """Returns metric -> a line a finding."""
    groups: dict[str, list[Line]] = {}
    for label, one in evaluation.labels.items():
        found = one.classes[label]
        for title, estimate in (
            ("AUC", found["auc"]),
            ("Sensitivity", one.decision.sensitivity),
            ("Specificity", one.decision.specificity),
            ("Average precision", found["average_precision"]),
            ("F1", found["f1"]),
            ("Calibration error, smaller is better", one.overall["calibration_error"]),
        ):
            groups.setdefault(title, []).append(Line(label, estimate))
    return groups


def _within(evaluation: LabelsEvaluation) -> dict[str, list[str]]:
    """Returns what is known within one source -> the findings of which it is known."""
    within: dict[str, list[str]] = {}
    for label, one in evaluation.labels.items():
        within.setdefault(_VERDICTS[within_source(one).verdict], []).append(label)
    return within


def _thresholds(evaluation: LabelsEvaluation) -> str:
    """Returns the decision rule, as a sentence."""
    found = {one.decision.threshold for one in evaluation.labels.values()}
    stated = sorted(limit for limit in found if limit is not None)
    if not stated:
        return "The table states the decisions."
    limits = " or ".join(f"{limit:g}" for limit in stated)
    sentence = f"A finding is positive if its probability is at least {limits}"
    return f"{sentence}, or where the table says so." if None in found else f"{sentence}."
