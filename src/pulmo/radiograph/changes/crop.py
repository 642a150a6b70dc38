"""Crop."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import (
    AUGMENTATIONS,
    Affine,
    Change,
    Images,
    Movement,
    disturbance,
    one_by_one,
    resized,
    uniform,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("crop")
class Crop(Movement):
    """A random square is cut out and fills the input."""

    words: ClassVar = "random crop without {:g} of the side"
    draw_order: ClassVar = 10
    apply_order: ClassVar = 6

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Fraction of the side that a random square crop leaves out; what is left fills the input."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws where the square of each image is, [n, 2]."""
        import torch

        return torch.stack([uniform(shape[0], self.strength, generator) for _ in range(2)], 1)

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the crop."""
        return Affine(affine.turn * (1 - self.strength), affine.shift + drawn)


@disturbance(
    "crop",
    words="cropped by {:.0%} of the side at each edge",
    unit="share of the side cut off each edge",
    strengths=(0.03, 0.1, 0.2),
    harmless=(0.03,),
)
def crop(share: float, _: np.random.Generator) -> Change:
    """Cuts a share of the side off each of the four edges; the rest fills the image."""

    def inner(image: Images) -> Images:
        size = len(image)
        edge = round(size * share)
        return resized(image[edge : size - edge, edge : size - edge], size)

    return one_by_one(inner)
