"""Asking: what a network says of many changes of one image."""

from collections.abc import Callable, Iterator
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.bundle.card import Card
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import probabilities
from pulmo.core.errors import InputError
from pulmo.core.sections import Number
from pulmo.explain.methods import Pixels, Report

BATCH: Final = 32
"""Images that the network is given at once."""

Fill = Annotated[Number, Field(ge=0, le=1)] | None
"""The grey value of what is hidden; None for the mean grey value that the network subtracts."""


class Counter:
    """Counts the images that a network is given, and reports it.

    Args:
        total: how many there will be.
        report: called with the count and the total.
    """

    def __init__(self, total: int, report: Report) -> None:
        self._done, self._total, self._report = 0, total, report

    def add(self, count: int) -> None:
        """Counts some more images."""
        self._done += count
        self._report(self._done, self._total)


def batches(count: int) -> Iterator[NDArray[np.intp]]:
    """Yields the numbers from 0 to `count`, a batch at a time."""
    for start in range(0, count, BATCH):
        yield np.arange(start, min(start + BATCH, count))


def probability(model: ImagePredictor, images: Pixels, label: int) -> NDArray[np.float64]:
    """Returns the calibrated probability of a class for each image of one batch, [n].

    Raises:
        InputError: the network gave a value that is not a number.
    """
    logits = model.run(images).logits
    if not np.isfinite(logits).all():
        raise InputError(
            "output-not-finite",
            f"The model {model.card.name} returned a value that is not a number.",
        )
    return probabilities(logits, model.card.temperature)[:, label]


def probabilities_of_changes(
    model: ImagePredictor,
    change: Callable[[NDArray[np.intp]], Pixels],
    count: int,
    label: int,
    counter: Counter,
) -> NDArray[np.float64]:
    """Returns the probability of a class after each of `count` changes of an image, [count].

    Args:
        model: the network.
        change: gives the changed images of these numbers, uint8 [m, size, size].
        count: number of changes.
        label: number of the class.
        counter: counts the images.
    """
    found = []
    for numbers in batches(count):
        found.append(probability(model, change(numbers), label))
        counter.add(len(numbers))
    return np.concatenate(found)


def fill_value(card: Card, fill: float | None) -> float:
    """Returns the grey value of what is hidden, in [0, 1]."""
    return min(max(card.input.mean, 0.0), 1.0) if fill is None else fill


def hide(image: Pixels, shown: NDArray[np.floating], fill: float) -> Pixels:
    """Returns an image with parts hidden, uint8 [m, size, size].

    Args:
        image: uint8 [size, size].
        shown: how much of each pixel is shown, in [0, 1], [m, size, size].
        fill: the grey value of what is hidden, in [0, 1].
    """
    mixed = image * shown + (255 * fill) * (1 - shown)
    return np.asarray(np.rint(mixed), np.uint8)
