"""Faithfulness: whether a model's probability follows what a heat map calls important."""

from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

Probability = Callable[[NDArray[np.uint8]], NDArray[np.float64]]
"""Inputs uint8 [n, size, size] -> the probability of the class that is explained, [n]."""

STEPS: Final = 20
"""Steps in which the pixels of an image are removed, or shown."""

_BLUR: Final = 0.08  # of the side: what is left shows no ribs or vessels, only light and dark


class Curves(NamedTuple):
    """What removing, and showing, the important pixels first does to a probability.

    Attributes:
        deletion: mean probability while the most important pixels are blurred first, 0 to 1. Low
            where the map is right.
        insertion: mean probability while they are shown first on a blurred image, 0 to 1. High
            where the map is right.
    """

    deletion: float
    insertion: float


def deletion_insertion(
    probability: Probability,
    image: NDArray[np.uint8],
    evidence: NDArray[np.float32],
    steps: int = STEPS,
) -> Curves:
    """Returns the areas under the deletion and the insertion curve (Petsiuk et al. 2018).

    Both begin and end with the same two images, the whole one and the blurred one, so that a map
    is not rewarded for pixels that are unlike any radiograph.

    Args:
        probability: gives the probability of the class that the map explains.
        image: uint8 [size, size].
        evidence: the map, [rows, columns], high where important.
        steps: number of steps, 1 or more.
    """
    size = image.shape[0]
    blurred = cv2.GaussianBlur(image, (0, 0), _BLUR * size, borderType=cv2.BORDER_REFLECT)
    order = np.argsort(-_on_input(evidence, size).ravel(), kind="stable")
    rank = np.argsort(order).reshape(image.shape)
    ends = np.rint(np.linspace(0, order.size, steps + 1))
    important = rank[None] < ends[:, None, None]
    deleted = np.where(important, blurred, image)
    inserted = np.where(important, image, blurred)
    values = np.asarray(probability(np.concatenate([deleted, inserted])), np.float64)
    down, up = np.split(values, 2)
    return Curves(float(np.trapezoid(down, dx=1 / steps)), float(np.trapezoid(up, dx=1 / steps)))


def stability(first: NDArray[np.float32], second: NDArray[np.float32]) -> float:
    """Returns how alike two maps of the same shape are: Spearman's correlation of their values.

    Of an image and of the same image with a little noise it should be near 1 (Alvarez-Melis and
    Jaakkola 2018). NaN where a map is the same everywhere.
    """
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(spearmanr(first.ravel(), second.ravel()).statistic)


def _on_input(values: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Returns a map, resampled onto the input square."""
    resized = cv2.resize(values.astype(np.float32), (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(resized, np.float32)
