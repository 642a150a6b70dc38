"""Shear."""

import math
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Movement, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("shear")
class Shear(Movement):
    """Shear along the rows; what comes in is black."""

    words: ClassVar = "shear up to {:g} degrees"
    draw_order: ClassVar = 8
    apply_order: ClassVar = 4

    strength: Annotated[Number, Field(ge=0, le=30)] = 0.0
    """Largest shear either way along the rows, in degrees."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws how far each row of an image moves, over its height above the middle."""
        return uniform(shape[0], math.radians(self.strength), generator).tan()

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the shear."""
        import torch

        one, zero = torch.ones_like(drawn), torch.zeros_like(drawn)
        shear = torch.stack([one, drawn, zero, one], 1).view(-1, 2, 2)
        return affine._replace(turn=affine.turn @ shear)
