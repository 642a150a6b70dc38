"""Rotation."""

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

import cv2
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
    seed_of,
    uniform,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("rotate")
class Rotate(Movement):
    """Rotation; what comes in is black."""

    words: ClassVar = "rotation up to {:g} degrees"
    draw_order: ClassVar = 1
    always_draws: ClassVar = True
    apply_order: ClassVar = 1

    strength: Annotated[Number, Field(ge=0, le=45)] = 0.0
    """Largest rotation either way, in degrees."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the angle of each image, in radians."""
        return uniform(shape[0], math.radians(self.strength), generator)

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the rotation."""
        import torch

        cosine, sine = drawn.cos(), drawn.sin()
        turn = torch.stack([cosine, -sine, sine, cosine], 1).view(-1, 2, 2)
        return affine._replace(turn=affine.turn @ turn)


@disturbance(
    "rotation",
    words="turned by {:g} degrees",
    unit="degrees to either side",
    strengths=(5.0, 15.0, 30.0),
    harmless=(5.0,),
)
def rotation(degrees: float, generator: np.random.Generator) -> Change:
    """Turns each image by so many degrees to the left or to the right; what comes in is black."""
    seed = seed_of(generator)

    def change(images: Images) -> Images:
        angles = np.random.default_rng(seed).choice([-degrees, degrees], len(images))
        return np.stack([_turned(image, a) for image, a in zip(images, angles, strict=True)])

    return change


def _turned(image: Images, degrees: float) -> Images:
    size = len(image)
    middle = ((size - 1) / 2, (size - 1) / 2)
    turn = cv2.getRotationMatrix2D(middle, float(degrees), 1.0)
    return np.asarray(cv2.warpAffine(image, turn, (size, size)), np.uint8)
