"""What is kept of an image to recognise its copies: a small square, hashes, local features."""

from typing import Final, NamedTuple

import cv2
import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.radiograph.geometry import to_input

SIDE: Final = 160
"""Pixels a side of the square that an image is squashed to, so that squashing changes nothing."""

FEATURES: Final = 200
"""How many local features are kept of an image at most."""

# Faint images have few corners at OpenCV's usual threshold; what is found by chance is voted down.
_CONTRAST: Final = 0.015
_EDGE: Final = 20

# A SIFT descriptor is 4 rows of 4 cells of 8 directions, relative to the feature's own direction.
# A mirror image has the rows in the contrary order, and each direction on the other side.
_MIRROR: Final = np.arange(128).reshape(4, 4, 8)[::-1][:, :, -np.arange(8) % 8].ravel()


class Fingerprint(NamedTuple):
    """An image, small enough to keep hundreds of thousands.

    Attributes:
        square: uint8 [SIDE, SIDE].
        shape: height and width of the image itself.
        hashes: uint64 [2], the perceptual hash of the image and of its mirror image.
        points: float32 [n, 3], x and y in pixels of the square and direction in degrees of each
            feature, the strongest first; n is at most `FEATURES`.
        codes: uint8 [n, 16], the features' descriptors as 128 bits.
    """

    square: NDArray[np.uint8]
    shape: tuple[int, int]
    hashes: NDArray[np.uint64]
    points: NDArray[np.float32]
    codes: NDArray[np.uint8]


def fingerprint(pixels: NDArray[np.float32]) -> Fingerprint:
    """Returns the fingerprint of an image.

    The hash is pHash (Zauner 2010) as imagehash computes it. The features are SIFT's (Lowe 2004),
    each element of a descriptor cut to one bit at the descriptor's median (B-SIFT, Zhou et al.
    2012), which takes an eighth of the room.

    Args:
        pixels: float32 [height, width] in [0, 1].
    """
    square = to_input(pixels, SIDE, "squash")
    hashes = np.concatenate([_hash(square), _hash(square[:, ::-1])])
    height, width = pixels.shape
    return Fingerprint(square, (height, width), hashes, *_features(square))


def mirrored_points(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns where the features [n, 3] are in the mirror image, and in which direction."""
    x, y, angle = points.T
    return np.stack([SIDE - 1 - x, y, (180 - angle) % 360], axis=1)


def mirrored_codes(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Returns the codes [n, 16] that the features have in the mirror image."""
    bits = np.unpackbits(codes, axis=1)
    return np.packbits(bits[:, _MIRROR], axis=1)


def _hash(square: NDArray[np.uint8]) -> NDArray[np.uint64]:
    bits = imagehash.phash(Image.fromarray(square)).hash
    return np.packbits(bits).view(np.uint64)


def _features(square: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    detector = cv2.SIFT.create(
        nfeatures=FEATURES,
        contrastThreshold=_CONTRAST,
        edgeThreshold=_EDGE,
        enable_precise_upscale=True,
    )
    found, descriptors = detector.detectAndCompute(square, None)
    if not found:
        return np.empty((0, 3), np.float32), np.empty((0, 16), np.uint8)
    points = np.array([(*each.pt, each.angle) for each in found], np.float32)
    # The detector's order is its own affair; of equal ones it may give more than was asked for.
    order = np.lexsort([*points.T, [-each.response for each in found]])[:FEATURES]
    values = descriptors[order]
    bits = values > np.median(values, axis=1, keepdims=True)
    return points[order], np.packbits(bits, axis=1)
