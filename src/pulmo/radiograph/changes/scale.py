"""Enlargement and reduction."""

from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Affine, Movement, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("scale")
class Scale(Movement):
    """Enlargement or reduction about the centre; what comes in is black."""

    words: ClassVar = "scaling up to {:g}"
    draw_order: ClassVar = 2
    always_draws: ClassVar = True
    apply_order: ClassVar = 2

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest enlargement or reduction, as a fraction."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws how many times as large each image becomes."""
        return 1 + uniform(shape[0], self.strength, generator)

    def move(self, affine: Affine, drawn: "Tensor") -> Affine:
        """Returns the movement with the enlargement."""
        return affine._replace(turn=affine.turn / drawn[:, None, None])
