"""Detections: boxes about the parts of an image in which a heat map shows evidence."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import DetectionRule
from pulmo.core.boxes import Box

SMALLEST: Final = 0.002
"""The smallest detection, as a share of the image's area; one cell of a map is larger."""

HIT_OVERLAP: Final = 0.1
"""The intersection over union from which a detection hits a box; its centre inside is as good.
Boxes on radiographs are drawn loosely, so a higher one would measure the drawing."""

OUTLINE_QUANTILE: Final = 0.95
"""The share of the evidence in images of other classes that lies below the edge of a detection."""

FALSE_RATE: Final = 0.5
"""Detections of a class that an image of another class has at most, on average."""


class Detection(NamedTuple):
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


def detect(
    evidence: NDArray[np.float32], rule: DetectionRule, within: NDArray[np.bool_] | None = None
) -> list[Detection]:
    """Returns boxes about the connected parts of a map whose evidence is high enough.

    Args:
        evidence: the map on the image, float32 [height, width]; NaN where the network did not look.
        rule: what is high enough.
        within: where a detection may be, such as the lungs, bool [height, width]; anywhere if None.

    Returns:
        The detections, the highest score first.
    """
    seen = np.nan_to_num(evidence, nan=-np.inf)
    # Of a class that is rarely decided on, what is usual in other images is evidence against it.
    held = (seen >= rule.outline) & (seen > 0)
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
            found.append(
                Detection(left / width, top / height, across / width, down / height, score)
            )
    return sorted(found, key=lambda detection: -detection.score)


def fit_detection_rule(
    maps: Sequence[NDArray[np.float32]],
    within: Sequence[NDArray[np.bool_] | None] | None = None,
    rate: float = FALSE_RATE,
) -> DetectionRule:
    """Returns the rule under which images of other classes have so many detections at most.

    Every detection of a class in such an image is false. No box is needed, so the validation images
    of any training can fit it.

    Args:
        maps: the maps of images of other classes, float32 [height, width]; one or more.
        within: where a detection of each may be; anywhere if None.
        rate: the most detections an image, on average.
    """
    places = [None] * len(maps) if within is None else within
    values = [
        evidence[np.isfinite(evidence) & (True if place is None else place)]
        for evidence, place in zip(maps, places, strict=True)
    ]
    edge = float(np.quantile(np.concatenate(values), OUTLINE_QUANTILE))
    rule = DetectionRule(outline=edge, least=edge)
    scores = sorted(
        (
            found.score
            for evidence, place in zip(maps, places, strict=True)
            for found in detect(evidence, rule, place)
        ),
        reverse=True,
    )
    allowed = int(rate * len(maps))
    if len(scores) <= allowed:
        return rule
    return DetectionRule(outline=edge, least=float(np.nextafter(scores[allowed], np.inf)))


def hits(detection: Detection, box: Box) -> bool:
    """Returns whether a detection marks a box: by its centre, or by an overlap of a tenth."""
    across, down = detection.left + detection.width / 2, detection.top + detection.height / 2
    inside = box.left <= across <= box.left + box.width and box.top <= down <= box.top + box.height
    return inside or _overlap(detection, box) >= HIT_OVERLAP


def _overlap(one: Detection, box: Box) -> float:
    """Returns the intersection over union of a detection and a box."""
    across = min(one.left + one.width, box.left + box.width) - max(one.left, box.left)
    down = min(one.top + one.height, box.top + box.height) - max(one.top, box.top)
    both = max(across, 0.0) * max(down, 0.0)
    return both / (one.width * one.height + box.width * box.height - both)
