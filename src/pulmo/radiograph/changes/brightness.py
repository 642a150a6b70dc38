"""Brightness."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Regrade, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("brightness")
class Brightness(Regrade):
    """A value is added to each pixel."""

    words: ClassVar = "brightness up to {:g}"
    draw_order: ClassVar = 4
    always_draws: ClassVar = True
    apply_order: ClassVar = 9

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest value added or subtracted, of the range [0, 1]."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the value of each image."""
        return uniform(shape[0], self.strength, generator)

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images with the values added."""
        return images + drawn.view(-1, 1, 1, 1)
