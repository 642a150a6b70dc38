"""How two squares differ after one is laid on the other: in place, and in detail."""

from typing import Any, Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.datasets.curate.fingerprint import SIDE

# Details are what a blur of 4 pixels takes away, on the scale of their strength within 8.
_BLUR: Final = 4
_REGION: Final = 8
_GREY: Final = 40

# Parts whose place is measured: one every 10 pixels, each 31 wide, so that the noise of a strong
# compression averages out while organs still move apart.
_STEP: Final = 10
_WINDOW: Final = (31, 31)
_MARGIN: Final = 4
_TURNS: Final = 3
_REACH: Final = 0.7
_MIN_PARTS: Final = 30

# Two images that are so far apart after the first attempt never come together.
_LOST: Final = 2.5

_FULL: Final = np.full((SIDE, SIDE), 255, np.uint8)
_ONES: Final = np.ones((2 * _MARGIN + 1, 2 * _MARGIN + 1), np.uint8)
_GRID: Final = np.stack(np.meshgrid(*[np.arange(_STEP, SIDE, _STEP)] * 2), axis=-1).reshape(-1, 2)


class Residual(NamedTuple):
    """What is left between two squares.

    Attributes:
        affine: float64 [2, 3], the map from the first square to the second.
        displacement: median distance of the parts from where the map puts them, in pixels.
        correlation: median over the overlap of the correlation of details nearby.
        overlap: share of the smaller image that is in both.
    """

    affine: NDArray[np.float64]
    displacement: float
    correlation: float
    overlap: float


def residual(
    first: NDArray[np.uint8], second: NDArray[np.uint8], affine: NDArray[np.float64]
) -> Residual | None:
    """Aligns one square with another by an affine map, and measures what differs then.

    The place of a part is found by optical flow (Lucas and Kanade 1981; Bouguet 2000).

    Args:
        first: uint8 [SIDE, SIDE].
        second: uint8 [SIDE, SIDE].
        affine: float64 [2, 3], roughly the map from the first to the second.

    Returns:
        None if the squares share too little, or the one is not found on the other.
    """
    target = _details(second)
    displacement = 0.0
    for _ in range(_TURNS):
        moved = _flow(_laid(first, affine), target, _overlap(affine))
        if moved is None:
            return None
        parts, places = moved
        step = affine_map(parts, places, _REACH)[0]
        if step is None:
            return None
        distances = np.linalg.norm(parts @ step[:, :2].T + step[:, 2] - places, axis=1)
        displacement = float(np.median(distances))
        if displacement > _LOST:
            return None
        affine = step @ np.vstack([affine, [0, 0, 1]])
    shared = _overlap(affine)
    whole = min(1.0, abs(float(np.linalg.det(affine[:, :2]))))
    overlap = min(1.0, float(shared.mean()) / max(whole, 1 / SIDE))
    correlation = _correlation(_laid(first, affine), second, shared)
    return Residual(affine, displacement, correlation, overlap)


def affine_map(
    source: NDArray[np.float32], target: NDArray[np.float32], reach: float
) -> tuple[NDArray[np.float64] | None, int]:
    """Returns the affine map that most pairs of points [n, 2] agree on, and how many do.

    OpenCV draws its samples from a generator of each call, so the same points give the same map.

    Args:
        source: the points.
        target: where they go.
        reach: pixels by which a pair may be off and still agree.
    """
    affine: Any
    affine, agreeing = cv2.estimateAffine2D(source, target, ransacReprojThreshold=reach)
    if affine is None:
        return None, 0
    return affine, int(np.count_nonzero(agreeing))


def _laid(square: NDArray[np.uint8], affine: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Returns the first square where the map puts it, its edges drawn out over the rest."""
    laid = cv2.warpAffine(
        square, affine, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(laid, np.uint8)


def _overlap(affine: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Returns where the first square lies on the second."""
    return np.asarray(cv2.warpAffine(_FULL, affine, (SIDE, SIDE)) > 250)


def _flow(
    laid: NDArray[np.uint8], target: NDArray[np.uint8], overlap: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.float32]] | None:
    """Returns parts of one square [n, 2] and their places on the other; None if there are few."""
    inside = cv2.erode(overlap.astype(np.uint8), _ONES, borderValue=0)
    parts = _GRID[inside[_GRID[:, 1], _GRID[:, 0]] > 0].astype(np.float32)
    if len(parts) < _MIN_PARTS:
        return None
    places, status, _ = cv2.calcOpticalFlowPyrLK(
        _details(laid),
        target,
        parts,
        parts.copy(),
        winSize=_WINDOW,
        maxLevel=1,
        minEigThreshold=1e-3,
    )
    found = status.ravel() > 0
    if found.sum() < _MIN_PARTS:
        return None
    return parts[found], np.asarray(places, np.float32)[found]


def _details(square: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns a square's details, equally strong everywhere, around 128."""
    values = square.astype(np.float32)
    details = values - cv2.GaussianBlur(values, (0, 0), _BLUR)
    strength = np.sqrt(cv2.GaussianBlur(details * details, (0, 0), _REGION))
    grey = np.clip(details / (strength + 2) * _GREY + 128, 0, 255)
    return np.asarray(grey, np.uint8)


def _correlation(
    laid: NDArray[np.uint8], second: NDArray[np.uint8], overlap: NDArray[np.bool_]
) -> float:
    """Returns the median of the local correlations where both squares show something."""
    weight = overlap.astype(np.float32)
    first, other = (_band(square.astype(np.float32), weight) for square in (laid, second))
    strengths = _mean(first * first, weight), _mean(other * other, weight)
    shown = overlap & (np.minimum(*strengths) > 1)
    if not shown.any():
        return 0.0
    scale = np.sqrt((strengths[0] + 0.5) * (strengths[1] + 0.5))
    return float(np.median((_mean(first * other, weight) / scale)[shown]))


def _band(values: NDArray[np.float32], weight: NDArray[np.float32]) -> NDArray[np.float32]:
    return _mean(values, weight, 1) - _mean(values, weight, _BLUR)


def _mean(
    values: NDArray[np.float32], weight: NDArray[np.float32], width: float = 6
) -> NDArray[np.float32]:
    """Returns the local mean of values within the overlap, so that nothing outside counts."""
    total = cv2.GaussianBlur(values * weight, (0, 0), width, borderType=cv2.BORDER_CONSTANT)
    share = cv2.GaussianBlur(weight, (0, 0), width, borderType=cv2.BORDER_CONSTANT)
    return np.asarray(total / np.maximum(share, 1e-3), np.float32)
