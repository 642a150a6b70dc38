"""Noise."""

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
    seed_of,
    to_bytes,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("noise")
class Noise(Regrade):
    """Gaussian noise, of another strength for each image."""

    words: ClassVar = "noise up to {:g}"
    draw_order: ClassVar = 7
    apply_order: ClassVar = 12

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest standard deviation of added Gaussian noise, of the range [0, 1]."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the noise, of the shape of the batch."""
        import torch

        deviation = torch.rand(shape[0], 1, 1, 1, generator=generator) * self.strength
        return torch.randn(shape, generator=generator) * deviation

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images with the noise added."""
        return images + drawn


@disturbance(
    "noise",
    words="noisy by {:g} of 255 greys",
    unit="deviation in greys",
    strengths=(4.0, 10.0, 20.0),
    harmless=(4.0,),
)
def noise(deviation: float, generator: np.random.Generator) -> Change:
    """Adds normal noise of so many of the 255 greys."""
    seed = seed_of(generator)

    def change(images: Images) -> Images:
        drawn = np.random.default_rng(seed).standard_normal(images.shape, np.float32)
        return to_bytes(images + np.float32(deviation) * drawn)

    return change
