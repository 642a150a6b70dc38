"""The figures of a comparison: learning curves and ROC curves of several models in one."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pulmo.bundle.card import Epoch
from pulmo.evaluate.evaluation import Curve
from pulmo.report.svg import CLASS_COLOURS, CLASS_DASHES, INK, LINE, draw_svg

_SQUARE: Final = (3.6, 3.6)
_PANEL: Final = (3.6, 2.6)
_MARKS: Final = (0, 0.25, 0.5, 0.75, 1)
# Of `CLASS_DASHES`, as SVG writes them for lines two units wide.
_SVG_DASHES: Final = ("none", "10 3", "3 2", "6 2 2 2", "14 4 2 4 2 4", "7 3")


class Stroke(NamedTuple):
    """How the lines of one model are drawn; there are 36 ways.

    Attributes:
        number: which model it is, from 0.
    """

    number: int

    @property
    def colour(self) -> int:
        """Which of the colours."""
        return self.number % len(CLASS_COLOURS)

    @property
    def dash(self) -> int:
        """Which of the dashes."""
        return (self.number + self.number // len(CLASS_COLOURS)) % len(CLASS_DASHES)

    @property
    def svg_dashes(self) -> str:
        """The dashes, for the legend in the page."""
        return _SVG_DASHES[self.dash]


def draw_rocs(name: str, label: str, curves: Mapping[str, tuple[Stroke, Curve]]) -> str:
    """Draws the ROC curves of a class against the rest, as SVG.

    Args:
        name: a short word that no other figure of the page has.
        label: the class.
        curves: model -> how to draw it, and its curve.
    """
    alt = f"ROC curves of {label} against the rest: {', '.join(curves)}"
    return draw_svg(name, alt, _SQUARE, partial(_draw_rocs, list(curves.values())))


def draw_histories(
    question: int,
    histories: Mapping[str, tuple[Stroke, Sequence[Sequence[Epoch]]]],
) -> dict[str, str]:
    """Draws how the runs of each model learnt.

    Args:
        question: number of the question that they answer, in the page.
        histories: model -> how to draw it, and the epochs of each of its runs.

    Returns:
        Title -> figure as SVG; nothing without a history.
    """
    lines = {name: entry for name, entry in histories.items() if any(entry[1])}
    if not lines:
        return {}
    panels: dict[str, Callable[[Epoch], float]] = {
        "Training loss": lambda epoch: epoch.train_loss,
        "Validation loss": lambda epoch: epoch.val_loss,
        "Validation accuracy, balanced": lambda epoch: epoch.val_balanced_accuracy,
    }
    return {
        title: draw_svg(
            f"learning{question}-{number}",
            f"{title} over the epochs: {', '.join(lines)}",
            _PANEL,
            partial(_draw_histories, list(lines.values()), value),
        )
        for number, (title, value) in enumerate(panels.items())
    }


def _draw_rocs(curves: Sequence[tuple[Stroke, Curve]], figure: Figure) -> None:
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=LINE, linewidth=1)
    for stroke, curve in curves:
        _plot(axes, stroke, curve.false_positive_rate, curve.true_positive_rate)
    axes.set(xlim=(0, 1), ylim=(0, 1), xticks=_MARKS, yticks=_MARKS)
    axes.set(xlabel="1 - specificity", ylabel="sensitivity")
    axes.set_aspect("equal")


def _draw_histories(
    entries: Sequence[tuple[Stroke, Sequence[Sequence[Epoch]]]],
    value: Callable[[Epoch], float],
    figure: Figure,
) -> None:
    axes = figure.add_subplot()
    for stroke, runs in entries:
        for history in runs:
            epochs = [epoch.epoch for epoch in history]
            _plot(axes, stroke, epochs, [value(epoch) for epoch in history])
    axes.set_xlabel("epoch", color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _plot(axes: Axes, stroke: Stroke, across: Sequence[float], up: Sequence[float]) -> None:
    axes.plot(
        across,
        up,
        color=CLASS_COLOURS[stroke.colour],
        linestyle=CLASS_DASHES[stroke.dash],
        marker="o" if len(across) < 2 else "",
        clip_on=False,
    )
