"""Shift."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Movement, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("translate")
class Translate(Movement):
    """Shift; what comes in is black."""

    words: ClassVar = "shift up to {:g} of the side"
    draw_order: ClassVar = 3
    always_draws: ClassVar = True
    apply_order: ClassVar = 3

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest shift either way, as a fraction of the side."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the shift of each image, [n, 2], in halves of the side."""
        import torch

        # The square spans two units, so a shift by a fraction of the side is twice that fraction.
        largest = 2 * self.strength
        return torch.stack([uniform(shape[0], largest, generator) for _ in range(2)], 1)

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the shift."""
        return affine._replace(shift=affine.shift + drawn)
