"""The sheet of one prediction: its values, its notes and its heat map on a page of PDF."""

import io
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from matplotlib.backends.backend_pdf import FigureCanvasPdf
from matplotlib.figure import Figure
from PIL import Image

_PAGE: Final = (8.27, 11.69)  # inches, A4
_LEFT, _TOP, _LINE = 0.08, 0.95, 0.0155  # shares of the page
_COLUMNS: Final = 96  # letters of a line
_MOST_LINES: Final = 30
_FONT: Final = "DejaVu Sans"  # comes with matplotlib, so every machine draws the same


def prediction_sheet(drawing: bytes, answer: Mapping[str, Any]) -> bytes:
    """Draws the sheet.

    Args:
        drawing: the heat map as `HeatMap.png` draws it.
        answer: the prediction as JSON: what `pulmo predict` gives, with its id and time.

    Returns:
        A page of PDF.
    """
    figure = Figure(figsize=_PAGE)
    FigureCanvasPdf(figure)
    y = _TOP
    _write(figure, "Prediction for a chest X-ray", y, size=16)
    y -= 2 * _LINE
    _write(figure, f"{answer['notice']} A person must decide.", y, size=11, weight="bold")
    y -= 2 * _LINE
    for line in _shortened(list(_lines(answer))):
        _write(figure, line, y)
        y -= _LINE
    axes = figure.add_axes((_LEFT, 0.05, 1 - 2 * _LEFT, y - 0.05), anchor="N")
    axes.imshow(np.asarray(Image.open(io.BytesIO(drawing))), interpolation="none")
    axes.set_axis_off()
    buffer = io.BytesIO()
    figure.savefig(buffer, format="pdf", metadata={"Creator": "pulmo", "CreationDate": None})
    return buffer.getvalue()


def _lines(answer: Mapping[str, Any]) -> Iterator[str]:
    """Yields what is said of the prediction, a line each."""
    model, sets = answer["model"], answer["prediction_set"]
    yield f"Prediction  {answer['id']}, {answer['created']}"
    yield f"Image       SHA-256 {answer['sha256']}"
    yield f"Model       {model['name']}, {model['version']}"
    yield f"            SHA-256 {model['sha256']}"
    yield ""
    for label, share in answer["probabilities"].items():
        yield f"{label:24} {share:.3f}{'   decision' if label == answer['decision'] else ''}"
    yield ""
    positive = " or ".join(answer["positive_classes"])
    yield (
        f"Probability of {positive}: {answer['positive_probability']:.3f}, "
        f"{'positive' if answer['positive'] else 'negative'} at the threshold "
        f"{answer['threshold']:.3f}."
    )
    if answer["band"] is not None:
        yield f"Triage band: {answer['band']}."
    if sets is not None:
        yield f"Conformal set: {', '.join(sets) or 'empty'}."
    for note in answer["notes"]:
        yield from textwrap.wrap(f"Note: {note}", _COLUMNS, subsequent_indent="      ")


def _shortened(lines: list[str]) -> list[str]:
    """Returns the lines that the page has room for, and says how many are missing."""
    if len(lines) <= _MOST_LINES:
        return lines
    left = len(lines) - _MOST_LINES + 1
    return [*lines[: _MOST_LINES - 1], f"{left} more lines of notes are in the prediction's JSON."]


def _write(
    figure: Figure, words: str, y: float, *, size: float = 8.5, weight: str = "normal"
) -> None:
    """Writes a line; those of the usual size have columns."""
    font = _FONT if size != 8.5 else f"{_FONT} Mono"
    figure.text(_LEFT, y, words, fontsize=size, weight=weight, family=font, parse_math=False)
