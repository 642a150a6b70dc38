"""Multiscale contrast."""

from math import log
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Regrade

if TYPE_CHECKING:
    from torch import Generator, Tensor

SCALES: Final = (1 / 120, 1 / 60, 1 / 30, 1 / 15)
"""Standard deviations of the Gaussians between the bands, as shares of the image's side."""

_REACH: Final = 3
"""Standard deviations after which a Gaussian is cut off."""


@AUGMENTATIONS.register("multiscale")
class Multiscale(Regrade):
    """Details of each size gain or lose contrast, as X-ray machines process images differently.

    An image is the sum of four bands, which are differences of Gaussians, and of what remains
    (Philipsen et al. 2015, Localized energy-based normalization of medical images, equation 1).
    Each band is multiplied by a factor of its own; the brightness of large areas stays. Flat areas,
    such as borders, stay as they are.
    """

    words: ClassVar = "contrast of details up to {:g} more"
    draw_order: ClassVar = 14
    apply_order: ClassVar = 8

    strength: Annotated[Number, Field(ge=0, le=4)] = 0.0
    """s: the factors lie between 1 / (1 + s) and 1 + s, evenly in the logarithm."""

    def draw(self, shape: tuple[int, int, int, int], generator: "Generator") -> "Tensor":
        """Draws the factor of each band of each image, [n, bands]."""
        import torch

        drawn = torch.rand(shape[0], len(SCALES), generator=generator)
        return ((2 * drawn - 1) * log(1 + self.strength)).exp()

    def apply(self, images: "Tensor", drawn: "Tensor") -> "Tensor":
        """Returns images, each band multiplied by its factor."""
        changed, finer = images, images
        for share, factor in zip(SCALES, drawn.unbind(1), strict=True):
            coarser = _smoothed(images, share * images.shape[-1])
            changed = changed + (factor.view(-1, 1, 1, 1) - 1) * (finer - coarser)
            finer = coarser
        return changed.where(~_flat(images), images)


def _smoothed(images: "Tensor", deviation: float) -> "Tensor":
    """Returns images smoothed by a Gaussian of so many pixels; the edge pixels go on outside."""
    import torch
    from torch.nn.functional import conv2d, pad

    reach = max(1, round(_REACH * deviation))
    offsets = torch.arange(-reach, reach + 1, device=images.device, dtype=images.dtype)
    kernel = torch.softmax(-0.5 * (offsets / deviation) ** 2, dim=0)
    rows = conv2d(pad(images, (reach, reach, 0, 0), mode="replicate"), kernel.view(1, 1, 1, -1))
    return conv2d(pad(rows, (0, 0, reach, reach), mode="replicate"), kernel.view(1, 1, -1, 1))


def _flat(images: "Tensor") -> "Tensor":
    """Returns which pixels are as their eight neighbours are, bool [n, 1, height, width]."""
    from torch.nn.functional import max_pool2d

    highest = max_pool2d(images, 3, stride=1, padding=1)
    lowest = -max_pool2d(-images, 3, stride=1, padding=1)
    return highest - lowest <= 1e-6
