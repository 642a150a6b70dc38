"""The figures of scores: precision and recall, thresholds, net benefit, histograms."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pulmo.evaluate.decision_results import Threshold
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.svg import ACCENT, CLASS_COLOURS, CLASS_DASHES, INK, MUTED, draw_svg

_SQUARE: Final = (4.3, 4.3)
_WIDE: Final = (4.3, 3.2)
_MARKS: Final = (0, 0.25, 0.5, 0.75, 1)
_LOWEST: Final = -0.05
"""Net benefits below it are cut off: how harmful a threshold is does not matter."""


def draw_precision_recall(evaluation: Evaluation, order: Sequence[str]) -> str | None:
    """Draws precision against recall of each class, as SVG; None when there is no curve."""
    labels = [label for label in order if label in evaluation.precision_recall]
    if not labels:
        return None
    areas = [f"{label} {_value(evaluation, label)}" for label in labels]
    alt = "Precision-recall curves with average precision: " + ", ".join(areas)
    return draw_svg("pr", alt, _SQUARE, partial(_draw_precision_recall, evaluation, order))


def draw_sweep(evaluation: Evaluation) -> str | None:
    """Draws sensitivity, specificity and predictive values over the threshold; None without."""
    if not evaluation.sweep:
        return None
    alt = "Sensitivity, specificity and predictive values at each threshold from 0 to 1"
    return draw_svg("sweep", alt, _WIDE, partial(_draw_sweep, evaluation))


def draw_decision_curve(evaluation: Evaluation) -> str | None:
    """Draws the net benefit over the threshold (Vickers and Elkin 2006); None without."""
    if not evaluation.sweep:
        return None
    alt = "Net benefit by threshold: of the model, of all images positive, of no image positive"
    return draw_svg("benefit", alt, _WIDE, partial(_draw_decision_curve, evaluation.sweep))


def draw_histograms(evaluation: Evaluation, order: Sequence[str]) -> str | None:
    """Draws a histogram of the scores of each class's images; None without any."""
    labels = [label for label in order if label in evaluation.histograms]
    if not labels:
        return None
    alt = "Histograms of the probability of the images of " + ", ".join(labels)
    size = (_WIDE[0], 0.5 + 0.75 * len(labels))
    return draw_svg("scores", alt, size, partial(_draw_histograms, evaluation, labels))


def _value(evaluation: Evaluation, label: str) -> str:
    estimate = evaluation.classes[label].get("average_precision")
    return "" if estimate is None or estimate.value is None else f"{estimate.value:.3f}"


def _draw_precision_recall(evaluation: Evaluation, order: Sequence[str], figure: Figure) -> None:
    axes = figure.add_subplot()
    for number, label in enumerate(order):
        if label not in evaluation.precision_recall:
            continue
        curve, colour = evaluation.precision_recall[label], CLASS_COLOURS[number % 6]
        axes.plot(
            curve.recall,
            curve.precision,
            color=colour,
            linestyle=CLASS_DASHES[number % 6],
            label=f"{label} {_value(evaluation, label)}",
            clip_on=False,
        )
        share = evaluation.data.labels.get(label, 0) / evaluation.data.n
        axes.plot([0, 1], [share, share], color=colour, linewidth=0.6, alpha=0.6)
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1))
    _mark(axes, both=True)
    axes.legend(loc="best", title="average precision")


def _draw_sweep(evaluation: Evaluation, figure: Figure) -> None:
    axes = figure.add_subplot()
    at = [point.threshold for point in evaluation.sweep]
    for number, (name, values) in enumerate(
        {
            "sensitivity": [point.sensitivity for point in evaluation.sweep],
            "specificity": [point.specificity for point in evaluation.sweep],
            "PPV": [_nan(point.ppv) for point in evaluation.sweep],
            "NPV": [_nan(point.npv) for point in evaluation.sweep],
        }.items()
    ):
        colour, dash = CLASS_COLOURS[number], CLASS_DASHES[number]
        axes.plot(at, values, color=colour, linestyle=dash, label=name)
    _mark_threshold(axes, evaluation)
    axes.set(xlabel="threshold", xlim=(0, 1), ylim=(0, 1.02))
    _mark(axes, both=True)
    axes.legend(loc="lower center", ncols=2)


def _draw_decision_curve(points: Sequence[Threshold], figure: Figure) -> None:
    axes = figure.add_subplot()
    inside = [point for point in points if point.net_benefit is not None]
    at = [point.threshold for point in inside]
    axes.axhline(0, color=INK, linewidth=0.8, label="call none")
    everyone = [_nan(point.treat_all) for point in inside]
    axes.plot(at, everyone, color=MUTED, linestyle=(0, (5, 1.5)), label="call all")
    benefits = [_nan(point.net_benefit) for point in inside]
    axes.plot(at, benefits, color=ACCENT, label="the model")
    top = max(everyone + benefits) * 1.08 + 0.01
    axes.set(xlabel="threshold", ylabel="net benefit", xlim=(0, 1), ylim=(_LOWEST, top))
    _mark(axes, both=False)
    axes.legend(loc="upper right")


def _draw_histograms(evaluation: Evaluation, labels: Sequence[str], figure: Figure) -> None:
    column = figure.subplots(len(labels), 1, sharex=True, squeeze=False)[:, 0]
    for number, (axes, label) in enumerate(zip(column, labels, strict=True)):
        counts = evaluation.histograms[label].counts
        width = 1 / len(counts)
        lefts = [place * width for place in range(len(counts))]
        colour = CLASS_COLOURS[number % 6]
        axes.bar(lefts, counts, width * 0.92, align="edge", color=colour, alpha=0.7)
        axes.set(ylabel=label, yticks=[], xlim=(0, 1))
        axes.grid(visible=False)
        _mark_threshold(axes, evaluation)
    of = " + ".join(evaluation.decision.positive) or "the class"
    column[-1].set_xlabel(f"probability of {of}")
    _mark(column[-1], both=False)


def _mark_threshold(axes: Axes, evaluation: Evaluation) -> None:
    if evaluation.decision.threshold is not None:
        at = evaluation.decision.threshold
        axes.axvline(at, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))


def _nan(value: float | None) -> float:
    """Gives what is undefined as a gap in a line."""
    return float("nan") if value is None else value


def _mark(axes: Axes, *, both: bool) -> None:
    """Gives the axes five marks from 0 to 1."""
    axes.set_xticks(_MARKS, [f"{mark:g}" for mark in _MARKS])
    if both:
        axes.set_yticks(_MARKS, [f"{mark:g}" for mark in _MARKS])
