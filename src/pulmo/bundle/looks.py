"""Looks: the numbers that the gate sees of an image."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.lungs.finder import LungFinder
from pulmo.lungs.parts import measure, parts_of
from pulmo.radiograph.geometry import to_input

_CELLS: Final = 8
_LEVELS: Final = (0.02, 0.05, 0.25, 0.5, 0.75, 0.95, 0.98)
_FLAT: Final = 1e-3
_STEP: Final = 0.1
"""A difference of two neighbouring pixels that is an edge."""

Values = NDArray[np.float64]


class Looks(NamedTuple):
    """What is seen of an image; all but the contrast is the same for its mirror image.

    Attributes:
        grey: [64], means of the grey values in 8 x 8 cells, about their mean and over their
            standard deviation.
        spread: [64], standard deviations within the cells.
        lungs: [64], mean probabilities of lung in the cells. All three are folded.
        levels: [7], quantiles of the grey values.
        shape: [6], of the lungs (`pulmo.lungs.parts.Shape`).
        sure: [7], each of these over the least that lungs have by the rule, at most 2, and whether
            the rule finds lungs.
        contrast: [3], grey value of the lungs, that of the rest, and their difference over the
            standard deviation of the image.
        texture: [6], logarithms of the mean differences of neighbours in a row and in a column, the
            shares of neighbours that differ not at all and by an edge, in rows and in columns.
        cut: [3], mean probability of lung at an edge: the likelier of left and right, top, bottom.
    """

    grey: Values
    spread: Values
    lungs: Values
    levels: Values
    shape: Values
    sure: Values
    contrast: Values
    texture: Values
    cut: Values


def looks(
    pixels: NDArray[np.float32], probability: NDArray[np.float32], finder: LungFinder
) -> Looks:
    """Returns what the gate sees of an image.

    Args:
        pixels: float32 [height, width] in [0, 1].
        probability: float32 [size, size], as `finder.look` gives it.
        finder: the network of the lungs.
    """
    size = probability.shape[0]
    grey = to_input(pixels, size, "squash").astype(np.float64) / 255
    chance = probability.astype(np.float64)
    shape = measure(probability, parts_of(probability >= finder.card.threshold))
    limits = [max(getattr(finder.card.rule, name), _FLAT) for name in shape._fields]
    found = float(not finder.card.rule.lacks(shape))
    means, spreads = _cells(grey).mean(axis=(1, 3)), _cells(grey).std(axis=(1, 3))
    return Looks(
        grey=_folded((means - means.mean()) / (means.std() + _FLAT)),
        spread=_folded(spreads),
        lungs=_folded(_cells(chance).mean(axis=(1, 3))),
        levels=np.quantile(grey, _LEVELS),
        shape=np.array(shape),
        sure=np.array([*np.minimum(np.array(shape) / limits, 2), found]),
        contrast=_contrast(grey, chance),
        texture=_texture(grey),
        cut=_cut(chance),
    )


def _cells(values: Values) -> NDArray[np.float64]:
    """Returns a square as cells, [8, side, 8, side]."""
    side = len(values) // _CELLS
    kept = values[: side * _CELLS, : side * _CELLS]
    return kept.reshape(_CELLS, side, _CELLS, side)


def _folded(cells: Values) -> Values:
    """Returns half the sum and half the difference of the left half and the mirrored right one."""
    mirrored, half = cells[:, ::-1], _CELLS // 2
    both, apart = (cells + mirrored) / 2, np.abs(cells - mirrored) / 2
    return np.concatenate([both[:, :half].ravel(), apart[:, :half].ravel()])


def _contrast(grey: Values, chance: Values) -> Values:
    inside = (chance * grey).sum() / (chance.sum() + _FLAT)
    outside = ((1 - chance) * grey).sum() / ((1 - chance).sum() + _FLAT)
    return np.array([inside, outside, (inside - outside) / (grey.std() + 10 * _FLAT)])


def _texture(grey: Values) -> Values:
    steps = [np.abs(np.diff(grey, axis=axis)) for axis in (1, 0)]
    return np.array(
        [
            *(np.log(each.mean() + _FLAT) for each in steps),
            *((each == 0).mean() for each in steps),
            *((each > _STEP).mean() for each in steps),
        ]
    )


def _cut(chance: Values) -> Values:
    width = max(1, len(chance) // 48)
    left, right = chance[:, :width].mean(), chance[:, -width:].mean()
    return np.array([max(left, right), chance[:width].mean(), chance[-width:].mean()])
