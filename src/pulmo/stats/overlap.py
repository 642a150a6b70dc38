"""How well a mask agrees with another: Dice coefficient and Hausdorff distance, an image each."""

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Masks = NDArray[np.bool_]


def dice(found: Masks, truth: Masks) -> NDArray[np.float64]:
    """Returns the Dice coefficient of each pair of masks, in [0, 1] (Dice 1945).

    Twice the pixels that both have, over the sum of the pixels of each. Two empty masks agree: 1.

    Args:
        found: bool [n, rows, columns].
        truth: bool [n, rows, columns].
    """
    both = (found & truth).sum(axis=(1, 2))
    total = found.sum(axis=(1, 2)) + truth.sum(axis=(1, 2))
    return np.where(total, 2 * both / np.maximum(total, 1), 1.0)


def hausdorff(found: Masks, truth: Masks, quantile: float = 0.95) -> float:
    """Returns the robust Hausdorff distance of two masks in pixels (Huttenlocher et al. 1993).

    Of the distances of one edge's pixels to the other edge the quantile, of both directions the
    larger. Infinite if one mask alone is empty, and 0 if both are.

    Args:
        found: bool [rows, columns].
        truth: bool [rows, columns].
        quantile: 1 gives the distance of the farthest pixel.
    """
    if not found.any() or not truth.any():
        return 0.0 if found.any() == truth.any() else float("inf")
    one, other = _edge(found), _edge(truth)
    there = np.quantile(ndimage.distance_transform_edt(~other)[one], quantile)
    back = np.quantile(ndimage.distance_transform_edt(~one)[other], quantile)
    return float(max(there, back))


def _edge(mask: Masks) -> Masks:
    """Returns the pixels of a mask that touch one outside; the image's edge is outside."""
    return np.asarray(mask & ~ndimage.binary_erosion(mask), np.bool_)
