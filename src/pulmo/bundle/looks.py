"""Looks: the numbers that the gate sees of an image.

Those of its grey values come first, for they cost little and load no OpenCV.
"""

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder

SIDE: Final = 192
"""Side in pixels of the square that the grey values are taken from."""

_CELLS: Final = 8
_LEVELS: Final = (0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98)
_FLAT: Final = 1e-3
_STEP: Final = 25
"""The largest difference of two neighbouring pixels, of 255, that is no edge."""

Square = NDArray[np.uint8]
Values = NDArray[np.float64]


class GreyLooks(NamedTuple):
    """What is seen of an image's grey values; the same for its mirror image.

    Attributes:
        grey: [64], means of the grey values in 8 x 8 cells, about their mean and over their
            standard deviation, folded.
        spread: [64], standard deviations within the cells, folded.
        levels: [7], quantiles of the grey values.
        texture: [6], logarithms of the mean differences of neighbours in a row and in a column, the
            shares of neighbours that differ not at all and by an edge, in rows and in columns.
    """

    grey: Values
    spread: Values
    levels: Values
    texture: Values


class LungLooks(NamedTuple):
    """What is seen of the lungs; all but the contrast is the same of mirrored probabilities.

    Attributes:
        lungs: [64], mean probabilities of lung in 8 x 8 cells, folded.
        shape: [6], of the lungs (`pulmo.lungs.parts.Shape`).
        sure: [7], each of these over the least that lungs have by the rule, at most 2, and whether
            the rule finds lungs.
        contrast: [3], grey value of the lungs, that of the rest, and their difference over the
            standard deviation of the image.
        cut: [3], mean probability of lung at an edge: the likelier of left and right, top, bottom.
    """

    lungs: Values
    shape: Values
    sure: Values
    contrast: Values
    cut: Values


def grey_looks(square: Square) -> GreyLooks:
    """Returns what the gate sees of an image's grey values.

    Args:
        square: the image, as `Radiograph.squashed` gives it at `SIDE`.
    """
    cells = _cells(square.astype(np.float32) / np.float32(255))
    size = cells.shape[1] * cells.shape[3]
    means = np.einsum("abcd->ac", cells, dtype=np.float64) / size
    squares = np.einsum("abcd,abcd->ac", cells, cells, dtype=np.float64) / size
    return GreyLooks(
        grey=_folded((means - means.mean()) / (means.std() + _FLAT)),
        spread=_folded(np.sqrt(np.maximum(squares - means**2, 0))),
        levels=_levels(square),
        texture=_texture(square),
    )


def lung_looks(square: Square, probability: NDArray[np.float32], finder: "LungFinder") -> LungLooks:
    """Returns what the gate sees of the lungs.

    Args:
        square: as of `grey_looks`.
        probability: float32 [`SIDE`, `SIDE`], as `finder.look` gives it.
        finder: the network of the lungs.
    """
    # OpenCV, which an image of plain grey values never needs.
    from pulmo.lungs.parts import measure, parts_of  # noqa: PLC0415 - see above

    chance = probability.astype(np.float64)
    shape = measure(probability, parts_of(probability >= finder.card.threshold))
    limits = [max(getattr(finder.card.rule, name), _FLAT) for name in shape._fields]
    found = float(not finder.card.rule.lacks(shape))
    return LungLooks(
        lungs=_folded(_cells(chance).mean(axis=(1, 3))),
        shape=np.array(shape),
        sure=np.array([*np.minimum(np.array(shape) / limits, 2), found]),
        contrast=_contrast(square.astype(np.float64) / 255, chance),
        cut=_cut(chance),
    )


def _cells(values: NDArray[Any]) -> NDArray[Any]:
    """Returns a square as cells, [8, side, 8, side]."""
    side = len(values) // _CELLS
    return values.reshape(_CELLS, side, _CELLS, side)


def _levels(square: Square) -> Values:
    """Returns quantiles between neighbouring values, as `numpy.quantile` does, by their counts."""
    reached = np.cumsum(np.bincount(square.ravel(), minlength=256))
    places = np.array(_LEVELS) * (square.size - 1)
    below, above = (
        np.searchsorted(reached, ends, side="right") for ends in (np.floor(places), np.ceil(places))
    )
    found: Values = (below + (places - np.floor(places)) * (above - below)) / 255
    return found


def _folded(cells: Values) -> Values:
    """Returns half the sum and half the difference of the left half and the mirrored right one."""
    mirrored, half = cells[:, ::-1], _CELLS // 2
    both, apart = (cells + mirrored) / 2, np.abs(cells - mirrored) / 2
    return np.concatenate([both[:, :half].ravel(), apart[:, :half].ravel()])


def _contrast(grey: Values, chance: Values) -> Values:
    inside = (chance * grey).sum() / (chance.sum() + _FLAT)
    outside = ((1 - chance) * grey).sum() / ((1 - chance).sum() + _FLAT)
    return np.array([inside, outside, (inside - outside) / (grey.std() + 10 * _FLAT)])


def _texture(square: Square) -> Values:
    grey = square.astype(np.int16)
    steps = [np.abs(np.diff(grey, axis=axis)) for axis in (1, 0)]
    return np.array(
        [
            *(np.log(each.sum(dtype=np.int64) / each.size / 255 + _FLAT) for each in steps),
            *(1 - np.count_nonzero(each) / each.size for each in steps),
            *(np.count_nonzero(each > _STEP) / each.size for each in steps),
        ]
    )


def _cut(chance: Values) -> Values:
    width = max(1, len(chance) // 48)
    left, right = chance[:, :width].mean(), chance[:, -width:].mean()
    return np.array([max(left, right), chance[:width].mean(), chance[-width:].mean()])
