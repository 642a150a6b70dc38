"""Occlusion."""

from functools import partial
from math import ceil
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.sections import Number
from pulmo.explain.asking import Counter, Fill, fill_value, hide, probabilities_of_changes
from pulmo.explain.methods import METHODS, Maps, Method, Pixels, Report

Share = Annotated[Number, Field(gt=0, le=1)]


@METHODS.register("occlusion")
class Occlusion(Method):
    """How far the probability falls when a square is hidden (Zeiler and Fergus 2014, section 4.2).

    A window moves over the image. A pixel's value is the mean fall over the windows that cover it.
    """

    window: Share = 0.125
    """Side of the window, as a share of the image's side."""
    stride: Share = 0.0625
    """How far the window moves each time, likewise; at most the window's side."""
    fill: Fill = None
    """Grey value in [0, 1] of what is hidden; if none, the mean that the network subtracts."""

    title = "Occlusion"
    unit = "fall of the probability"
    reading = "A value is how far the probability falls when a window over the place is hidden."

    @model_validator(mode="after")
    def _covers(self) -> Self:
        if self.stride > self.window:
            raise ValueError("stride is larger than window, so some places are never hidden")
        return self

    @classmethod
    def quick(cls) -> Self:
        """Returns a window of a quarter of the side: 49 positions."""
        return cls(window=0.25, stride=0.125)

    def grain(self, rows: int, columns: int) -> str:  # noqa: ARG002 - the image is square
        """Says how large the window is."""
        side, step = self._pixels(rows)
        return (
            f"The window is {side} x {side} pixels of the network's {rows} x {rows}, "
            f"every {step}: nothing smaller is told apart."
        )

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps, one image after the other."""
        inside = self._inside(images.shape[1])
        count = len(inside) ** 2
        counter = Counter(len(images) * (count + 1), on_progress)
        fill = fill_value(model.card, self.fill)
        times = inside.sum(axis=0)
        found = []
        for image, label in zip(images, classes, strict=True):
            change = partial(_occluded, image=image, inside=inside, fill=fill)
            asked = probabilities_of_changes(model, change, count + 1, int(label), counter)
            falls = (asked[0] - asked[1:]).reshape(len(inside), -1)
            # A window is the product of its rows and its columns.
            found.append(inside.T @ falls @ inside / np.outer(times, times))
        return Maps(np.stack(found).astype(np.float32))

    def _inside(self, size: int) -> NDArray[np.float64]:
        """Returns which rows each window covers, 0 or 1, [positions, size]; so for columns."""
        side, step = self._pixels(size)
        starts = np.arange(ceil((size - side) / step) + 1) * step
        at = np.arange(size)
        covers = (at >= starts[:, None]) & (at < starts[:, None] + side)
        return covers.astype(np.float64)

    def _pixels(self, size: int) -> tuple[int, int]:
        """Returns the side of the window and how far it moves, in pixels."""
        side = max(1, round(self.window * size))
        return side, min(side, max(1, round(self.stride * size)))


def _occluded(
    numbers: NDArray[np.intp], image: Pixels, inside: NDArray[np.float64], fill: float
) -> Pixels:
    """Returns an image under the windows of these numbers, from 1; number 0 is the image itself."""
    rows, columns = np.divmod(np.maximum(numbers - 1, 0), len(inside))
    hidden = inside[rows][:, :, None] * inside[columns][:, None, :]
    hidden[numbers == 0] = 0
    return hide(image, 1 - hidden, fill)
