"""The figure of a learning rate sweep."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, NullFormatter

from pulmo.report.svg import ACCENT, INK, LINE, MUTED, draw_svg_file

_SIZE: Final = (5.6, 3.4)


def draw_sweep(
    rates: Sequence[float], losses: Sequence[float], smoothed: Sequence[float], suggestion: float
) -> str:
    """Draws the loss over the learning rate, as an SVG file.

    Args:
        rates: the rate of each step, rising.
        losses: the loss of each step's batch.
        smoothed: its running average.
        suggestion: the rate to mark.
    """
    return draw_svg_file(_SIZE, partial(_draw, (rates, losses, smoothed), suggestion))


def _draw(
    columns: tuple[Sequence[float], Sequence[float], Sequence[float]],
    suggestion: float,
    figure: Figure,
) -> None:
    rates, losses, smoothed = columns
    axes = figure.subplots()
    axes.set_xscale("log")
    # Plain numbers: no figure of pulmo's reads mathematics, which the labels of powers would be.
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.plot(rates, losses, ".", color=LINE, markersize=3.5)
    axes.plot(rates, smoothed, color=ACCENT)
    axes.axvline(suggestion, color=MUTED, linewidth=1, linestyle=(0, (2, 2)))
    top, low = max(smoothed), min(smoothed)
    axes.set_ylim(low - 0.15 * (top - low), top + 0.15 * (top - low))
    axes.annotate(
        f"{suggestion:.1e}",
        (suggestion, 1),
        xycoords=("data", "axes fraction"),
        xytext=(4, -10),
        textcoords="offset points",
        color=INK,
    )
    axes.set(xlabel="learning rate", ylabel="training loss")
