"""The page of a comparison: tables, paired tests and curves of several models in one HTML file."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.bundle.card import Epoch
from pulmo.core.files import write_atomically
from pulmo.evaluate.evaluation import Curve
from pulmo.report.comparison import ComparedModel, Comparison
from pulmo.report.comparison_figures import Stroke, draw_histories, draw_rocs
from pulmo.report.lines import Groups, Line, metric_line
from pulmo.report.template import render
from pulmo.report.words import classes_text, metric_title

_MAIN: Final = (
    "within_source_auc",
    "auc",
    "sensitivity",
    "specificity",
    "balanced_accuracy",
    "macro_auc",
)
"""The metrics that the page shows first."""


@dataclass(frozen=True)
class ComparisonContent:
    """What the page of a comparison shows.

    Attributes:
        comparison: the metrics and the tests.
        roc: model -> class -> ROC curve.
        histories: model -> the epochs of each of its runs.
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


class Question(NamedTuple):
    """Models with the same classes; only these can be compared.

    Attributes:
        title: their classes, and which of them are positive.
        names: the models.
        main: metric -> a line a model, of the metrics that matter most.
        others: the same of the other metrics over all classes.
        classes: class -> metric -> a line a model.
        rocs: class -> figure of their ROC curves.
        learning: title -> figure of how their training went.
    """

    title: str
    names: list[str]
    main: Groups
    others: Groups
    classes: Mapping[str, Groups]
    rocs: Mapping[str, str]
    learning: Mapping[str, str]


def render_comparison(content: ComparisonContent) -> str:
    """Returns a comparison as HTML."""
    comparison = content.comparison
    strokes = {one.name: Stroke(number) for number, one in enumerate(comparison.models)}
    asked: dict[tuple[frozenset[str], frozenset[str]], list[ComparedModel]] = {}
    for one in comparison.models:
        key = frozenset(one.labels), frozenset(one.positive)
        asked.setdefault(key, []).append(one)
    return render(
        "comparison",
        {
            "comparison": comparison,
            "strokes": strokes,
            "questions": [
                _question(number, members, content, strokes)
                for number, members in enumerate(asked.values())
            ],
        },
    )


def _question(
    number: int,
    members: Sequence[ComparedModel],
    content: ComparisonContent,
    strokes: Mapping[str, Stroke],
) -> Question:
    first = members[0]
    names = dict.fromkeys(name for one in members for name in one.metrics)
    groups = {
        metric_title(name): [
            metric_line(name, one.metrics[name], one.name) for one in members if name in one.metrics
        ]
        for name in sorted(names, key=lambda name: _MAIN.index(name) if name in _MAIN else 99)
    }
    main = {
        metric_title(name)
        for one in members
        for name in _main_metrics(one) or one.metrics  # a run has none of these
    }
    positive = f"; positive: {' + '.join(first.positive)}" if first.positive else ""
    runs = {
        one.name: (strokes[one.name], content.histories[one.name])
        for one in members
        if one.name in content.histories
    }
    return Question(
        title=classes_text(first.labels).rstrip(".") + positive,
        names=[one.name for one in members],
        main={title: rows for title, rows in groups.items() if title in main},
        others={title: rows for title, rows in groups.items() if title not in main},
        classes=_classes(members),
        rocs=_rocs(number, members, content, strokes),
        learning=draw_histories(number, runs),
    )


def _main_metrics(one: ComparedModel) -> list[str]:
    """Returns the metrics of a model that matter most; of two classes, one AUC is enough."""
    return [
        name
        for name in _MAIN
        if name in one.metrics and (name != "macro_auc" or len(one.labels) > 2)
    ]


def _classes(members: Sequence[ComparedModel]) -> dict[str, Groups]:
    """Returns class -> metric -> a line for each model that has it."""
    classes: dict[str, dict[str, list[Line]]] = {}
    for one in members:
        for label, metrics in one.classes.items():
            for name, estimate in metrics.items():
                line = metric_line(name, estimate, one.name)
                groups = classes.setdefault(label, {})
                groups.setdefault(metric_title(name), []).append(line)
    return dict(classes)


def _rocs(
    number: int,
    members: Sequence[ComparedModel],
    content: ComparisonContent,
    strokes: Mapping[str, Stroke],
) -> dict[str, str]:
    """Returns class -> figure of the curves of all members that have one."""
    curves = {one.name: content.roc[one.name] for one in members if one.name in content.roc}
    labels = dict.fromkeys(label for found in curves.values() for label in found)
    return {
        label: draw_rocs(
            f"roc{number}-{place}",
            label,
            {
                name: (strokes[name], found[label])
                for name, found in curves.items()
                if label in found
            },
        )
        for place, label in enumerate(labels)
    }
