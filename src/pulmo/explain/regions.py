"""Regions: boxes about the parts of an image in which a heat map shows evidence."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.core.boxes import Box

SMALLEST: Final = 0.002
"""The smallest region, as a share of the image's area; a smaller one is no finding of a map whose
cells are larger."""

HIT_OVERLAP: Final = 0.1
"""The intersection over union from which a region hits a box; its centre inside the box is as good.
Boxes on radiographs are drawn loosely, so a higher one would measure the drawing."""

OUTLINE_QUANTILE: Final = 0.95
"""The share of the evidence in normal images that lies below the outline of a region."""


class Region(NamedTuple):
    """A rectangle in which a map's evidence is above a threshold, in fractions of the image.

    Attributes:
        left: left edge, 0 to 1.
        top: upper edge, 0 to 1.
        width: 0 to 1.
        height: 0 to 1.
        score: the highest evidence within it, in the map's unit.
    """

    left: float
    top: float
    width: float
    height: float
    score: float


class RegionRule(NamedTuple):
    """What makes a region of a map, in the map's unit.

    Attributes:
        outline: the evidence at the edge of a region.
        least: the score that a region needs.
    """

    outline: float
    least: float = -np.inf


def find_regions(
    evidence: NDArray[np.float32], rule: RegionRule, within: NDArray[np.bool_] | None = None
) -> list[Region]:
    """Returns boxes about the connected parts of a map whose evidence is high enough.

    Args:
        evidence: the map on the image, float32 [height, width]; NaN where the network did not look.
        rule: what is high enough.
        within: where a region may be, such as the lungs, bool [height, width]; anywhere if None.

    Returns:
        The regions, the highest score first.
    """
    held = np.nan_to_num(evidence, nan=-np.inf) >= rule.outline
    if within is not None:
        held &= within
    height, width = held.shape
    count, numbers, boxes, _ = cv2.connectedComponentsWithStats(
        held.astype(np.uint8), connectivity=8
    )
    found = []
    for number in range(1, count):
        left, top, across, down, area = (int(value) for value in boxes[number])
        part = numbers[top : top + down, left : left + across] == number
        score = float(evidence[top : top + down, left : left + across][part].max())
        if area >= SMALLEST * held.size and score >= rule.least:
            found.append(Region(left / width, top / height, across / width, down / height, score))
    return sorted(found, key=lambda region: -region.score)


def fit_rule(
    maps: Sequence[NDArray[np.float32]], within: Sequence[NDArray[np.bool_] | None], rate: float
) -> RegionRule:
    """Returns the rule under which images without findings have so many regions at most.

    Every region of such an image is false. No box is needed, so the validation images of any
    training can fit it.

    Args:
        maps: the maps of images without findings, on the images, such as the normal ones of the
            validation; one or more.
        within: where a region of each may be; anywhere if None.
        rate: the most regions an image, on average.
    """
    values = [
        evidence[np.isfinite(evidence) & (True if place is None else place)]
        for evidence, place in zip(maps, within, strict=True)
    ]
    outline = RegionRule(float(np.quantile(np.concatenate(values), OUTLINE_QUANTILE)))
    scores = sorted(
        (
            region.score
            for evidence, place in zip(maps, within, strict=True)
            for region in find_regions(evidence, outline, place)
        ),
        reverse=True,
    )
    allowed = int(rate * len(maps))
    if len(scores) <= allowed:
        return outline
    return outline._replace(least=float(np.nextafter(scores[allowed], np.inf)))


def hits(region: Region, box: Box) -> bool:
    """Returns whether a region marks a box: by its centre, or by an overlap of at least a tenth."""
    across, down = region.left + region.width / 2, region.top + region.height / 2
    inside = box.left <= across <= box.left + box.width and box.top <= down <= box.top + box.height
    return inside or _overlap(region, box) >= HIT_OVERLAP


def _overlap(region: Region, box: Box) -> float:
    """Returns the intersection over union of a region and a box."""
    across = min(region.left + region.width, box.left + box.width) - max(region.left, box.left)
    down = min(region.top + region.height, box.top + box.height) - max(region.top, box.top)
    both = max(across, 0.0) * max(down, 0.0)
    return both / (region.width * region.height + box.width * box.height - both)
