"""Gate: whether an image looks like a slice of chest CT, where nothing states what it is.

A PNG or JPEG file names no modality, so a slice that somebody saved as one would get a result like
any radiograph. A logistic regression sees a small copy of the image. `benchmarks/gate.py` fits it.
"""

from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.errors import RefusedError
from pulmo.core.record import Record, parse_record
from pulmo.radiograph import Note, Radiograph
from pulmo.radiograph.geometry import to_input

FILE: Final = "gate.json"
"""The coefficients, beside this module."""

CT: Final = "looks like CT"
"""What a recipe's `data.accepts` calls such an image."""

_SIDE: Final = 32
_CELLS: Final = 8
_LEVELS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
_FLAT: Final = 1e-3


class Gate(Record):
    """The fitted gate.

    Attributes:
        weights: one for each number of `appearance`.
        bias: added to their sum.
        threshold: an image whose sum reaches it is refused.
        fitted: how and on what, as a sentence.
    """

    weights: tuple[float, ...]
    bias: float
    threshold: float
    fitted: str


@lru_cache(maxsize=1)
def shipped_gate() -> Gate:
    """Returns the gate that comes with pulmo."""
    text = resources.files(__package__).joinpath(FILE).read_text("utf-8")
    return parse_record(text, Gate, origin=FILE, what="a gate")


def appearance(pixels: NDArray[np.float32]) -> NDArray[np.float64]:
    """Returns what the gate sees of an image, [69].

    The image is squashed to 32 x 32 pixels and cut into 8 x 8 cells. The mean of each cell, about
    the image's mean and over the standard deviation of all cells, and the standard deviation within
    it are averaged over the left and the right half, so that a mirrored image looks the same. Five
    quantiles of the grey values follow.

    Args:
        pixels: float32 [height, width] in [0, 1].
    """
    small = to_input(pixels, _SIDE, "squash").astype(np.float64) / 255
    cells = small.reshape(_CELLS, _SIDE // _CELLS, _CELLS, _SIDE // _CELLS)
    means, spreads = cells.mean(axis=(1, 3)), cells.std(axis=(1, 3))
    shape = (means - means.mean()) / (means.std() + _FLAT)
    parts = (_folded(shape), np.quantile(small, _LEVELS), _folded(spreads))
    return np.concatenate(parts)


def ct_score(pixels: NDArray[np.float32], gate: Gate | None = None) -> float:
    """Returns how much an image looks like a slice of CT, a logit; above 0 more than not.

    Args:
        pixels: float32 [height, width] in [0, 1].
        gate: None takes the shipped one.
    """
    gate = gate or shipped_gate()
    return float(appearance(pixels) @ np.array(gate.weights) + gate.bias)


def check_appearance(card: Card, radiograph: Radiograph, name: str) -> tuple[Note, ...]:
    """Refuses an image that looks like a slice of CT, if the model is one for X-rays.

    An image whose modality is stated is not asked: who states it knows more than its looks tell.
    A model of drawings is for no patient, and the gate knows no drawings.

    Args:
        card: of the model; `training.accepts` may say that such an image passes with a note.
        radiograph: the image.
        name: what the message calls the image.

    Returns:
        a note if the image looks like CT and the card accepts it.

    Raises:
        RefusedError: it looks like CT.
    """
    if radiograph.facts.modality or "CT" in card.training.modalities or card.has_drawings:
        return ()
    if ct_score(radiograph.pixels) < shipped_gate().threshold:
        return ()
    if CT in card.training.accepts:
        return (Note("scope", f"It looks like a slice of CT; {card.name} was trained on X-ray."),)
    raise RefusedError(
        "image-looks-like-ct",
        f"{name} looks like a slice of CT, but {card.name} was trained on X-ray only. Nothing "
        "states the modality of the image.",
    )


def _folded(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean of the left half and the mirrored right half, one row after the other."""
    mirrored: NDArray[np.float64] = (cells + cells[:, ::-1]) / 2
    return mirrored[:, : cells.shape[1] // 2].ravel()
