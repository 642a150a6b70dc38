"""Hidden rectangles."""

import math
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Regrade, uniform

if TYPE_CHECKING:
    from torch import Generator, Tensor

_LONGEST: Final = 10 / 3
"""The largest aspect ratio of a hidden rectangle (Zhong et al. 2020, 3.2)."""


@AUGMENTATIONS.register("erase")
class Erase(Regrade):
    """A rectangle is hidden by the image's mean grey (Zhong et al. 2020)."""

    words: ClassVar = "erasing up to {:g} of the area"
    draw_order: ClassVar = 13
    apply_order: ClassVar = 14
    in_range: ClassVar = True

    strength: Annotated[Number, Field(ge=0, le=0.5)] = 0.0
    """Largest part of the area that a rectangle of the image's mean grey hides."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws a rectangle inside each image.

        Returns:
            float [n, 4], its left, upper, right and lower edge in fractions of the side.
        """
        import torch

        n = shape[0]
        area = torch.rand(n, generator=generator) * self.strength
        ratio = torch.exp(uniform(n, math.log(_LONGEST), generator))
        size = torch.stack([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)
        corner = torch.rand(n, 2, generator=generator) * (1 - size)
        return torch.cat([corner, corner + size], 1)

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images with their rectangles hidden."""
        import torch

        left, top, right, bottom = drawn.T[..., None, None]
        height, width = images.shape[2:]
        rows = (torch.arange(height, device=images.device) + 0.5)[:, None] / height
        columns = (torch.arange(width, device=images.device) + 0.5)[None] / width
        hidden = (rows > top) & (rows < bottom) & (columns > left) & (columns < right)
        return torch.where(hidden[:, None], images.mean(dim=(1, 2, 3), keepdim=True), images)
