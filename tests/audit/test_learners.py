"""The classifiers that shortcut baselines are."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import shift

from pulmo.audit.learners import Learnt, changed, learn_thumbnails

Thumbnails = NDArray[np.float32]


def spots(generator: np.random.Generator, classes: NDArray[np.intp]) -> Thumbnails:
    """Draws noise with a bright spot whose place tells the class; no average does."""
    images = generator.normal(0.5, 0.05, (len(classes), 16, 16)).astype(np.float32)
    for image, each in zip(images, classes, strict=True):
        row, column = generator.integers(2, 12), 2 + 8 * each
        image[row : row + 3, column : column + 3] += 0.3
    return images


def learnt(seed: int, shares: tuple[float, float] = (0.5, 0.5)) -> tuple[Learnt, NDArray[np.intp]]:
    drawn = np.random.default_rng(7)
    classes = drawn.choice(2, 120, p=shares)
    asked = np.arange(60) % 2
    return (
        learn_thumbnails(
            spots(drawn, classes), classes, spots(drawn, asked), np.random.default_rng(seed)
        ),
        asked,
    )


def test_a_small_network_learns_the_place_of_a_spot() -> None:
    found, truth = learnt(0)
    assert (found.balanced.argmax(axis=1) == truth).mean() > 0.9
    for probabilities in found:
        np.testing.assert_allclose(probabilities.sum(axis=1), 1)


def test_it_follows_from_the_seed_alone() -> None:
    (one, _), (same, _), (other, _) = learnt(3), learnt(3), learnt(4)
    assert (one.plain == same.plain).all()
    assert (one.plain != other.plain).any()


def test_balanced_probabilities_are_those_of_equally_frequent_classes() -> None:
    """Bayes' rule: the odds are divided by those of the classes in the training."""
    found, _ = learnt(0, (0.8, 0.2))
    drawn = np.random.default_rng(7).choice(2, 120, p=(0.8, 0.2))
    plain, balanced = (each[:, 1] / each[:, 0] for each in found)
    np.testing.assert_allclose(balanced, plain * (drawn == 0).sum() / (drawn == 1).sum())


def test_copies_are_moved_and_lit_a_little(generator: np.random.Generator) -> None:
    image = np.zeros((16, 16), np.float32)
    image[6:10, 6:10] = 1
    copies = changed(np.stack([image] * 200), generator)
    assert copies.shape == (200, 16, 16)
    assert len(np.unique(copies.reshape(200, -1), axis=0)) == 200
    lit = copies - np.median(copies, axis=(1, 2), keepdims=True)
    places = np.indices((16, 16)).reshape(2, -1)
    centres = (lit.reshape(200, 1, -1) * places).sum(axis=2) / lit.sum(axis=(1, 2))[:, None]
    assert 0.6 < np.abs(centres - 7.5).max() < 0.9
    assert np.abs(centres.mean(axis=0) - 7.5).max() < 0.15
    backgrounds = np.median(copies, axis=(1, 2))
    assert backgrounds.min() == pytest.approx(-0.2, abs=0.05)
    moved = shift(image, centres[0] - 7.5, order=1)
    assert np.corrcoef(moved.ravel(), copies[0].ravel())[0, 1] > 0.97
