"""Blur."""

from typing import TYPE_CHECKING, Annotated, ClassVar

import cv2
import numpy as np
from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import (
    AUGMENTATIONS,
    Change,
    Regrade,
    disturbance,
    one_by_one,
)

if TYPE_CHECKING:
    from torch import Generator, Tensor


@AUGMENTATIONS.register("blur")
class Blur(Regrade):
    """Gaussian blur; the edges are mirrored."""

    words: ClassVar = "blur up to {:g} pixels"
    draw_order: ClassVar = 11
    apply_order: ClassVar = 11

    strength: Annotated[Number, Field(ge=0, le=5)] = 0.0
    """Largest standard deviation of a Gaussian blur, in pixels of the input."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the standard deviation of each image; 0 leaves it as it is."""
        import torch

        return torch.rand(shape[0], generator=generator) * self.strength

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images blurred, by the rows and by the columns."""
        import torch
        from torch.nn import functional

        count = images.shape[0]
        reach = min(int(torch.ceil(3 * drawn.max())), min(images.shape[2:]) - 1)
        offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
        # A deviation of nearly nothing gives all weight to the pixel itself.
        kernel = torch.softmax(-0.5 * (offsets / drawn.clamp(min=1e-3)[:, None]) ** 2, dim=1)
        rows = functional.pad(images.transpose(0, 1), (reach, reach, reach, reach), mode="reflect")
        rows = functional.conv2d(rows, kernel.view(count, 1, 1, -1), groups=count)
        rows = functional.conv2d(rows, kernel.view(count, 1, -1, 1), groups=count)
        return rows.transpose(0, 1)


@disturbance(
    "blur",
    words="blurred by {:g} pixels",
    unit="deviation in pixels",
    strengths=(0.5, 1.0, 2.0),
    harmless=(0.5,),
)
def blur(deviation: float, _: np.random.Generator) -> Change:
    """Blurs with a Gaussian of so many pixels."""
    return one_by_one(lambda image: cv2.GaussianBlur(image, (0, 0), deviation))
