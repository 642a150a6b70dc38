"""Overlap of masks against counts and against distances between all pairs of pixels."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

from pulmo.stats.overlap import dice, hausdorff


def disc(y: float, x: float, radius: float, side: int = 40) -> NDArray[np.bool_]:
    rows, columns = np.mgrid[:side, :side]
    return np.asarray(np.hypot(rows - y, columns - x) < radius)


def test_dice_is_twice_the_shared_over_the_sum() -> None:
    one, other = disc(20, 18, 9), disc(20, 22, 11)
    empty = np.zeros_like(one)
    shared = sum(a and b for a, b in zip(one.flat, other.flat, strict=True))
    values = dice(np.stack([one, one, one, empty]), np.stack([other, one, empty, empty]))
    assert values[0] == pytest.approx(2 * shared / (one.sum() + other.sum()))
    assert values[1:].tolist() == [1, 0, 1]


@pytest.mark.parametrize("quantile", [0.95, 1.0])
def test_the_hausdorff_distance_is_that_of_all_pairs_of_edge_pixels(quantile: float) -> None:
    one, other = disc(20, 16, 9), disc(18, 22, 12)

    def edge(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
        framed = np.pad(mask, 1)
        inner = framed[:-2, 1:-1] & framed[2:, 1:-1] & framed[1:-1, :-2] & framed[1:-1, 2:]
        return np.argwhere(mask & ~inner)

    distances = cdist(edge(one), edge(other))
    expected = max(
        np.quantile(distances.min(axis=1), quantile), np.quantile(distances.min(axis=0), quantile)
    )
    assert hausdorff(one, other, quantile) == pytest.approx(expected)
    assert hausdorff(other, one, quantile) == pytest.approx(expected)


def test_an_empty_mask_is_infinitely_far_from_one_that_is_not() -> None:
    one, empty = disc(20, 20, 9), np.zeros((40, 40), np.bool_)
    assert hausdorff(one, empty) == hausdorff(empty, one) == np.inf
    assert hausdorff(empty, empty) == hausdorff(one, one) == 0
