"""The figures of a report: ROC curves, reliability, and how training went."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pulmo.bundle.card import Training
from pulmo.core.errors import UsageError
from pulmo.evaluate.evaluation import Evaluation
from pulmo.report.svg import (
    ACCENT,
    CLASS_COLOURS,
    CLASS_DASHES,
    INK,
    LINE,
    MUTED,
    draw_png_file,
    draw_svg,
    draw_svg_file,
)

MIN_IMAGES: Final = 20
"""A bin of the reliability diagram with fewer images is drawn hollow."""

_SQUARE: Final = (4.3, 4.3)
_PANEL: Final = (2.8, 2.4)
_PLOT: Final = (7.2, 3.2)


class _Bin(NamedTuple):
    """A bin of the reliability diagram that has images."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float


class _Series(NamedTuple):
    """A line over the epochs."""

    name: str
    values: Sequence[float]


def draw_roc(evaluation: Evaluation, order: Sequence[str]) -> str | None:
    """Draws the ROC curve of each class against the rest, as SVG; None when there is none."""
    if not evaluation.roc:
        return None
    labels = [label for label in order if label in evaluation.roc]
    alt = "ROC curves: " + ", ".join(_with_auc(evaluation, label) for label in labels)
    return draw_svg("roc", alt, _SQUARE, partial(_draw_roc, evaluation, order))


def draw_reliability(evaluation: Evaluation) -> str | None:
    """Draws accuracy against confidence over a histogram, as SVG; None without images."""
    bins = [
        _Bin(part.low, part.high, part.n, part.confidence, part.accuracy)
        for part in evaluation.reliability
        if part.confidence is not None and part.accuracy is not None
    ]
    if not bins:
        return None
    alt = "Reliability: " + "; ".join(
        f"{part.n:,} images with a mean confidence of {part.confidence:.2f} and an accuracy of "
        f"{part.accuracy:.2f}"
        for part in bins
    )
    return draw_svg("reliability", alt, _SQUARE, partial(_draw_reliability, bins))


def draw_training(training: Training) -> list[str]:
    """Draws the loss, the validation accuracy and the learning rate over the epochs, as SVG.

    Returns:
        Three figures, or none when the card has no history.
    """
    epochs = f"over {len(training.history)} epochs; the best is epoch {training.best_epoch}"
    return [
        draw_svg(
            f"training{number}",
            f"{title} {epochs}",
            _PANEL,
            partial(_draw_panels, training, {title: lines}),
        )
        for number, (title, lines) in enumerate(_panels(training).items())
    ]


def learning_curves(training: Training) -> str:
    """Draws the figures of `draw_training` side by side, as an SVG file.

    Raises:
        UsageError: the card has no history.
    """
    panels = _panels(training)
    if not panels:
        raise UsageError(
            "history-missing",
            "There are no learning curves: the card has no history of the training.",
        )
    size = (_PANEL[0] * len(panels), _PANEL[1])
    return draw_svg_file(size, partial(_draw_panels, training, panels))


def training_plot(training: Training) -> bytes:
    """Draws loss and accuracy of the training and the validation images, as a PNG file.

    Raises:
        UsageError: the card has no history, or one without the training's accuracy.
    """
    right = [epoch.train_accuracy for epoch in training.history if epoch.train_accuracy is not None]
    if not right or len(right) < len(training.history):
        raise UsageError(
            "history-missing",
            "There is no plot of the accuracy: the history of the training has no training "
            "accuracy.",
        )
    validation = [epoch.val_accuracy for epoch in training.history]
    panels = {
        "Loss": _panels(training)["Loss"],
        "Accuracy": [_Series("training", right), _Series("validation", validation)],
    }
    return draw_png_file(_PLOT, partial(_draw_panels, training, panels))


def _panels(training: Training) -> dict[str, list[_Series]]:
    """Returns title -> its lines; nothing without a history."""
    history = training.history
    if not history:
        return {}
    return {
        "Loss": [
            _Series("training", [epoch.train_loss for epoch in history]),
            _Series("validation", [epoch.val_loss for epoch in history]),
        ],
        "Validation accuracy": [
            _Series("plain", [epoch.val_accuracy for epoch in history]),
            _Series("balanced", [epoch.val_balanced_accuracy for epoch in history]),
        ],
        "Learning rate": [_Series("", [epoch.lr for epoch in history])],
    }


def _with_auc(evaluation: Evaluation, label: str) -> str:
    """Gives a class with its AUC and interval, as far as the evaluation has them."""
    estimate = evaluation.classes[label].get("auc")
    if estimate is None or estimate.value is None:
        return label
    if estimate.low is None or estimate.high is None:
        return f"{label} {estimate.value:.3f}"
    return f"{label} {estimate}"


def _draw_roc(evaluation: Evaluation, order: Sequence[str], figure: Figure) -> None:
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    for number, label in enumerate(order):
        if label in evaluation.roc:
            curve = evaluation.roc[label]
            axes.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                color=CLASS_COLOURS[number % len(CLASS_COLOURS)],
                linestyle=CLASS_DASHES[number % len(CLASS_DASHES)],
                label=_with_auc(evaluation, label),
                clip_on=False,
            )
    axes.set(xlabel="1 - specificity", ylabel="sensitivity")
    _unit_square(axes)
    axes.set_aspect("equal")
    axes.legend(loc="lower right", borderaxespad=0.4, title="AUC with 95\u00a0% interval")


def _draw_reliability(bins: Sequence[_Bin], figure: Figure) -> None:
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    upper.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    for part in bins:
        ends = (part.confidence, part.accuracy)
        upper.plot([part.confidence] * 2, ends, color=ACCENT, linewidth=1.2, alpha=0.45)
        fill = ACCENT if part.n >= MIN_IMAGES else "none"
        upper.plot(*ends, "o", color=ACCENT, markerfacecolor=fill, markersize=6, clip_on=False)
    _unit_square(upper)
    upper.set_ylabel("share correct")
    tallest = max(part.n for part in bins)
    for part in bins:
        width = part.high - part.low
        lower.bar(part.low, part.n, width * 0.92, align="edge", color=ACCENT, alpha=0.55)
        middle = part.low + width * 0.46
        lower.text(middle, part.n + tallest * 0.05, f"{part.n:,}", ha="center", fontsize=7.5)
    lower.set(xlabel="confidence (highest probability)", ylabel="images", ylim=(0, tallest * 1.3))
    lower.set_yticks([])
    lower.grid(visible=False)


def _draw_panels(
    training: Training, panels: Mapping[str, Sequence[_Series]], figure: Figure
) -> None:
    row = figure.subplots(1, len(panels), squeeze=False)[0]
    for axes, (title, lines) in zip(row, panels.items(), strict=True):
        _draw_epochs(axes, training, lines)
        axes.set_title(title, loc="left", color=INK, fontsize=9, fontweight="bold", pad=18)


def _draw_epochs(axes: Axes, training: Training, lines: Sequence[_Series]) -> None:
    epochs = [epoch.epoch for epoch in training.history]
    for number, line in enumerate(lines):
        axes.plot(
            epochs,
            line.values,
            color=CLASS_COLOURS[number],
            linestyle=CLASS_DASHES[number],
            marker="o" if len(epochs) < 2 else "",
            label=line.name,
        )
    axes.axvline(training.best_epoch, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    if len(lines) > 1:
        legend = axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
        legend.set_in_layout(False)  # it must not narrow the axes


def _unit_square(axes: Axes) -> None:
    """Gives both axes the range 0 to 1 with the same five marks."""
    marks = (0, 0.25, 0.5, 0.75, 1)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=marks, yticks=marks)
    axes.set_xticklabels([f"{mark:g}" for mark in marks])
    axes.set_yticklabels([f"{mark:g}" for mark in marks])
