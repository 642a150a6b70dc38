"""Location: whether a heat map lies where an expert marked a lesion, or within the lungs."""

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.radiograph.geometry import Aspect, Box, to_image

SIDE: Final = 256
"""Pixels of the longer side of an image on which maps and masks are compared; a map's cells are far
larger."""

Map = NDArray[np.float32]
"""Evidence for a class, [rows, columns]; above 0 speaks for the class."""

Mask = NDArray[np.bool_]
"""What was marked, [rows, columns], of the same shape as the map."""


def pointing(evidence: Map, marked: Mask, tolerance: int = 0) -> bool | None:
    """Returns whether the highest value lies on what was marked (Zhang et al. 2018).

    Args:
        evidence: the map.
        marked: what was marked.
        tolerance: pixels by which it may miss.

    Returns:
        None where nothing was marked, or no evidence is above 0.
    """
    if not marked.any() or not (evidence > 0).any():
        return None
    if tolerance:
        side = 2 * tolerance + 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        marked = cv2.dilate(marked.astype(np.uint8), disc).astype(bool)
    return bool(marked.ravel()[int(np.argmax(evidence))])


def evidence_share(evidence: Map, inside: Mask) -> float | None:
    """Returns the share of the positive evidence that lies inside a mask, 0 to 1.

    It is the energy-based pointing game of Wang et al. 2020. A map that is the same everywhere
    gets the mask's share of the area.

    Returns:
        None where no evidence is above 0.
    """
    positive = np.clip(evidence, 0, None)
    total = float(positive.sum())
    return float(positive[inside].sum()) / total if total > 0 else None


def overlap(evidence: Map, marked: Mask) -> float | None:
    """Returns the intersection over union of a mask and as many of the map's highest pixels.

    The map keeps as many pixels as were marked, so that no threshold is chosen.

    Returns:
        0 to 1; None where nothing was marked, or no evidence is above 0.
    """
    count = int(marked.sum())
    if not count or not (evidence > 0).any():
        return None
    kept = np.zeros(marked.size, bool)
    kept[np.argsort(-evidence.ravel(), kind="stable")[:count]] = True
    chosen = kept.reshape(marked.shape) & (evidence > 0)
    return float((chosen & marked).sum() / (chosen | marked).sum())


def on_small_image(
    values: Map, shape: tuple[int, ...], aspect: Aspect, box: Box | None = None
) -> Map:
    """Returns a map on the input square as one on the image, at most `SIDE` pixels a side.

    Args:
        values: the map over the input square.
        shape: height and width of the image.
        aspect: how the image, or its part, became the square.
        box: the part of the image that became the square; None for all of it.

    Returns:
        float32 [height, width], smaller than the image; NaN where the network did not look.
    """
    height, width = shape[:2]
    shrink = min(1.0, SIDE / max(height, width))
    small = max(2, round(height * shrink)), max(2, round(width * shrink))
    return to_image(values, small, aspect, box and box.scaled((height, width), small))


def small_mask(mask: Mask, shape: tuple[int, ...]) -> Mask:
    """Returns a mask of the whole image resampled to another size, [rows, columns]."""
    size = shape[1], shape[0]
    return np.asarray(cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0)
