"""Whether one image is a copy of another: the two must fit on each other to a part of a pixel."""

from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.datasets.curate.candidates import HASH_LIMIT
from pulmo.datasets.curate.fingerprint import (
    SIDE,
    Fingerprint,
    mirrored_codes,
    mirrored_points,
)
from pulmo.datasets.curate.residual import Residual, affine_map, residual

MAX_DISPLACEMENT: Final = 0.22
"""Pixels by which parts of a copy may be out of place, in the coarser of the two images."""

MIN_CORRELATION: Final = 0.75
"""How well the details of a copy must agree."""

MIN_OVERLAP: Final = 0.3
"""Share of the smaller image that must be in both."""

_CODE_LIMIT: Final = 28
_MIN_INLIERS: Final = 8
_REACH: Final = 2.5

# A copy may be enlarged or squashed, but no image becomes three times as wide as it was.
_SCALES: Final = (1 / 3, 3.0)
_MAX_SQUASH: Final = 2.0

# An image smaller than this counts as if it had so many pixels.
_LEAST_SIDE: Final = 64


class Evidence(NamedTuple):
    """The evidence that two images are copies.

    Attributes:
        hash_distance: bits of 64 by which the perceptual hashes differ.
        matches: local features that are each other's nearest.
        inliers: those of them that one affine map explains.
        correlation: median of the local correlations of the details, at most 1.
        displacement: median distance of small parts from where an affine map puts them, in pixels
            of the coarser image, but of no finer grid than `SIDE`.
        overlap: share of the smaller image that is in both.
        mirrored: whether one is the mirror image of the other.
    """

    hash_distance: int
    matches: int
    inliers: int
    correlation: float
    displacement: float
    overlap: float
    mirrored: bool

    @property
    def copies(self) -> bool:
        """Whether the two are copies."""
        return (
            self.displacement <= MAX_DISPLACEMENT
            and self.correlation >= MIN_CORRELATION
            and self.overlap >= MIN_OVERLAP
        )


class _Fit(NamedTuple):
    """An affine map [2, 3] from one square to another, and the features that support it."""

    affine: NDArray[np.float64]
    matches: int
    inliers: int


def compare(first: Fingerprint, second: Fingerprint, *, mirrored: bool) -> Evidence | None:
    """Looks closely at two images.

    Local features give an affine map, or the hashes say that none is needed. Then the first image
    is laid on the second and the place of every small part is measured. Two images of one patient
    can be made to correlate, but they never fit: ribs, heart and diaphragm move against each other.

    Args:
        first: the image that is mapped.
        second: the image that it is laid on.
        mirrored: whether the first is to be mirrored before.

    Returns:
        None if the two cannot be laid on each other.
    """
    distance = int(np.bitwise_count(first.hashes[int(mirrored)] ^ second.hashes[0]))
    square = first.square
    points, codes = first.points, first.codes
    if mirrored:
        square = np.ascontiguousarray(square[:, ::-1])
        points, codes = mirrored_points(points), mirrored_codes(codes)
    fit = _fit(points, codes, second)
    if not fit.inliers and distance > HASH_LIMIT:
        return None
    found = residual(square, second.square, fit.affine)
    if found is None:
        return None
    return Evidence(
        distance,
        fit.matches,
        fit.inliers,
        found.correlation,
        found.displacement / _pitch(first.shape, second.shape, found),
        found.overlap,
        mirrored,
    )


def _fit(points: NDArray[np.float32], codes: NDArray[np.uint8], second: Fingerprint) -> _Fit:
    """Returns the map that most features agree on; if too few do, the one that moves nothing."""
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING, crossCheck=True)
    matches = [
        match for match in matcher.match(codes, second.codes) if match.distance <= _CODE_LIMIT
    ]
    source = points[[match.queryIdx for match in matches], :2]
    target = second.points[[match.trainIdx for match in matches], :2]
    if len(matches) >= _MIN_INLIERS:
        affine, inliers = affine_map(source, target, _REACH)
        if affine is not None and inliers >= _MIN_INLIERS and _plausible(affine):
            return _Fit(affine, len(matches), inliers)
    return _Fit(np.eye(2, 3), len(matches), 0)


def _plausible(affine: NDArray[np.float64]) -> bool:
    wide, narrow = np.linalg.svd(affine[:, :2], compute_uv=False)
    least, most = _SCALES
    turned = np.linalg.det(affine[:, :2]) > 0
    return bool(turned and least <= narrow and wide <= most and wide <= _MAX_SQUASH * narrow)


def _pitch(first: tuple[int, int], second: tuple[int, int], found: Residual) -> float:
    """Returns the pixels of the square in one of the coarser image, 1 or more."""
    scale = np.sqrt(abs(np.linalg.det(found.affine[:, :2])))
    sides = min(first) / scale, min(second)
    return float(max(1.0, SIDE / max(_LEAST_SIDE, min(sides))))
