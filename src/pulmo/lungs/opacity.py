"""Opacity: how light the lungs are, between their darkest part and the tissue around them."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.lungs.mask import LungMask, Zone

_DARKEST: Final = 0.02
"""The quantile of the lungs' grey values that stands for air, above noise and single pixels."""


class Opacity(NamedTuple):
    """How light the lungs are: 0 as their own darkest part, 1 as the tissue around them.

    Air is dark on a radiograph, and so is a healthy lung; fluid and consolidation are as light as
    soft tissue. The measure compares grey values of one image, so exposure and a linear window do
    not change it, but a gamma does. It also rises with a short inspiration, overlying tissue and
    any disease that makes lungs light, so it says how much, and not of what.

    Attributes:
        both: of both lungs.
        right: of the patient's right lung; None if there is none.
        left: of the patient's left lung, likewise.
        zones: of each of the six zones; None of one without a pixel.
    """

    both: float
    right: float | None
    left: float | None
    zones: Mapping[Zone, float | None]


def opacity(pixels: NDArray[np.float32], lungs: LungMask) -> Opacity | None:
    """Returns how light the lungs of an image are.

    Around the lungs is what is not lung inside the rectangle about both: mediastinum and the parts
    of heart, diaphragm and chest wall between them.

    Args:
        pixels: the image, float32 [height, width] in [0, 1], 0 black.
        lungs: its lungs.

    Returns:
        None if no lungs were found, or if the tissue around them is no lighter than their darkest
        part, as on an inverted image.
    """
    box = lungs.box()
    if not lungs.found or box is None:
        return None
    around = ~lungs.mask[box.top : box.bottom, box.left : box.right]
    tissue = pixels[box.top : box.bottom, box.left : box.right][around]
    air = float(np.quantile(pixels[lungs.mask], _DARKEST))
    if not tissue.size or not float(tissue.mean()) > air:
        return None
    span = float(tissue.mean()) - air

    def of(part: NDArray[np.bool_]) -> float | None:
        return (float(pixels[part].mean()) - air) / span if part.any() else None

    return Opacity(
        both=(float(pixels[lungs.mask].mean()) - air) / span,
        right=of(lungs.right),
        left=of(lungs.left),
        zones={name: of(zone) for name, zone in lungs.zones.items()},
    )
