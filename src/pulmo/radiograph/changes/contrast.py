"""Contrast."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import (
    AUGMENTATIONS,
    Change,
    Images,
    Regrade,
    disturbance,
    to_bytes,
    uniform,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("contrast")
class Contrast(Regrade):
    """The distance of each grey from the image's mean is multiplied."""

    words: ClassVar = "contrast up to {:g}"
    draw_order: ClassVar = 5
    always_draws: ClassVar = True
    apply_order: ClassVar = 7

    strength: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Largest change of the contrast about the image's mean, as a fraction."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the factor of each image."""
        return 1 + uniform(shape[0], self.strength, generator)

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images with another contrast."""
        mean = images.mean(dim=(1, 2, 3), keepdim=True)
        return (images - mean) * drawn.view(-1, 1, 1, 1) + mean


@disturbance(
    "contrast",
    words="of {:g} times the contrast",
    unit="factor",
    strengths=(0.5, 0.8, 1.25, 2.0),
    harmless=(0.8, 1.25),
)
def contrast(factor: float, _: np.random.Generator) -> Change:
    """Multiplies the distance of each grey from the image's mean."""

    def change(images: Images) -> Images:
        mean = images.mean(axis=(1, 2), keepdims=True)
        return to_bytes((images - mean) * factor + mean)

    return change
