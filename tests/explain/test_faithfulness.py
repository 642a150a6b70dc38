import numpy as np
import pytest
from numpy.typing import NDArray

from pulmo.explain.faithfulness import deletion_insertion, stability

SIZE = 32
GENERATOR = np.random.default_rng(0)
IMAGE = GENERATOR.integers(0, 256, (SIZE, SIZE)).astype(np.uint8)
IMAGE[8:16, 20:28] = 255


def probability(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Sees one square alone."""
    return np.asarray(images[:, 8:16, 20:28].mean(axis=(1, 2)) / 255, np.float64)


def right_map() -> NDArray[np.float32]:
    found = np.zeros((SIZE, SIZE), np.float32)
    found[8:16, 20:28] = 1
    return found


def test_the_right_map_removes_the_probability_first_and_brings_it_back_first() -> None:
    right = deletion_insertion(probability, IMAGE, right_map())
    wrong = deletion_insertion(probability, IMAGE, -right_map())
    assert right.deletion < wrong.deletion
    assert right.insertion > wrong.insertion


def test_deletion_and_insertion_of_a_map_and_its_opposite_are_the_same_curve() -> None:
    varied = GENERATOR.permutation(SIZE * SIZE).reshape(SIZE, SIZE).astype(np.float32)
    one = deletion_insertion(probability, IMAGE, varied)
    other = deletion_insertion(probability, IMAGE, -varied)
    # Showing the least important first, backwards, is removing the most important first.
    assert one.deletion == pytest.approx(other.insertion)


def test_a_coarse_map_is_spread_over_the_input() -> None:
    coarse = np.zeros((4, 4), np.float32)
    coarse[1, 2:4] = 1
    found = deletion_insertion(probability, IMAGE, coarse, steps=4)
    assert 0 <= found.deletion < found.insertion <= 1


def test_stability_is_of_ranks() -> None:
    values = right_map() + np.arange(SIZE * SIZE, dtype=np.float32).reshape(SIZE, SIZE) / 1e4
    assert stability(values, np.exp(values)) == 1.0
    assert stability(values, -values) == -1.0
    assert np.isnan(stability(values, np.zeros_like(values)))
