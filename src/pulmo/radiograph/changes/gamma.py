"""Gamma."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import numpy as np
from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import (
    AUGMENTATIONS,
    Change,
    Regrade,
    disturbance,
    to_bytes,
    uniform,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("gamma")
class Gamma(Regrade):
    """Each grey is raised to a power: above 1 the image is darker."""

    words: ClassVar = "gamma up to {:g}"
    draw_order: ClassVar = 6
    always_draws: ClassVar = True
    apply_order: ClassVar = 10
    in_range: ClassVar = True

    strength: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Largest change of the exponent about 1."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the exponent of each image."""
        return 1 + uniform(shape[0], self.strength, generator)

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images raised to their exponents."""
        return images ** drawn.view(-1, 1, 1, 1)


@disturbance(
    "gamma",
    words="regraded by a gamma of {:g}",
    unit="gamma",
    strengths=(0.5, 0.8, 1.25, 2.0),
    harmless=(0.8, 1.25),
)
def gamma(exponent: float, _: np.random.Generator) -> Change:
    """Raises the grey in [0, 1] to a power."""
    table = to_bytes(255 * (np.arange(256) / 255) ** exponent)
    return lambda images: table[images]
