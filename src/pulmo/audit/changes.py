"""Changes: what a picture may undergo on its way to the network, by strength.

They are made to the network's input, uint8 [n, size, size], so that what is blurred or lost is
measured in the pixels that the network sees.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.audit.context import Change, Pixels

Make = Callable[[float, np.random.Generator], Change]
"""Makes a change of a strength; what it draws follows from the generator when it is made."""


class Disturbance(NamedTuple):
    """A kind of change.

    Attributes:
        words: what a sentence calls films that underwent it, with a place for the strength.
        unit: what its strength is, for an axis.
        strengths: those that are tried, in order.
        harmless: those of them that leave everything on a film that a reader needs.
        make: makes the change of a strength.
    """

    words: str
    unit: str
    strengths: tuple[float, ...]
    harmless: tuple[float, ...]
    make: Make


def rotation(degrees: float, generator: np.random.Generator) -> Change:
    """Turns each picture by so many degrees to the left or to the right; what comes in is black."""
    seed = _seed(generator)

    def change(pictures: Pixels) -> Pixels:
        angles = np.random.default_rng(seed).choice([-degrees, degrees], len(pictures))
        size = pictures.shape[1]
        middle = ((size - 1) / 2, (size - 1) / 2)
        turns = [cv2.getRotationMatrix2D(middle, float(angle), 1.0) for angle in angles]
        return np.stack(
            [
                np.asarray(cv2.warpAffine(picture, turn, (size, size)), np.uint8)
                for picture, turn in zip(pictures, turns, strict=True)
            ]
        )

    return change


def crop(share: float, _: np.random.Generator) -> Change:
    """Cuts a share of the side off each of the four edges; the rest fills the picture."""

    def inner(picture: Pixels) -> Pixels:
        size = len(picture)
        edge = round(size * share)
        return _resized(picture[edge : size - edge, edge : size - edge], size)

    return _each(inner)


def contrast(factor: float, _: np.random.Generator) -> Change:
    """Multiplies the distance of each grey from the picture's mean."""

    def change(pictures: Pixels) -> Pixels:
        mean = pictures.mean(axis=(1, 2), keepdims=True)
        return _to_bytes((pictures - mean) * factor + mean)

    return change


def gamma(exponent: float, _: np.random.Generator) -> Change:
    """Raises the grey in [0, 1] to a power: above 1 the picture is darker."""
    table = _to_bytes(255 * (np.arange(256) / 255) ** exponent)
    return lambda pictures: table[pictures]


def blur(deviation: float, _: np.random.Generator) -> Change:
    """Blurs with a Gaussian of so many pixels."""
    return _each(lambda picture: cv2.GaussianBlur(picture, (0, 0), deviation))


def noise(deviation: float, generator: np.random.Generator) -> Change:
    """Adds normal noise of so many of the 255 greys."""
    seed = _seed(generator)

    def change(pictures: Pixels) -> Pixels:
        drawn = np.random.default_rng(seed).standard_normal(pictures.shape, np.float32)
        return _to_bytes(pictures + np.float32(deviation) * drawn)

    return change


def jpeg(quality: float, _: np.random.Generator) -> Change:
    """Stores the picture as JPEG of a quality from 1 to 100 and reads it back."""

    def stored(picture: Pixels) -> Pixels:
        _, file = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(quality)])
        return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)

    return _each(stored)


def resolution(share: float, _: np.random.Generator) -> Change:
    """Shrinks the picture to a share of its side and enlarges it again."""

    def coarse(picture: Pixels) -> Pixels:
        size = len(picture)
        return _resized(_resized(picture, max(1, round(size * share))), size)

    return _each(coarse)


def inversion(_strength: float, _: np.random.Generator) -> Change:
    """Shows white as black and black as white."""
    return lambda pictures: 255 - pictures


def mirror(pictures: Pixels) -> Pixels:
    """Shows left as right."""
    return pictures[:, :, ::-1].copy()


DISTURBANCES: Final[dict[str, Disturbance]] = {
    "rotation": Disturbance(
        "turned by {:g} degrees", "degrees to either side", (5.0, 15.0, 30.0), (5.0,), rotation
    ),
    "crop": Disturbance(
        "cropped by {:.0%} of the side at each edge",
        "share of the side cut off each edge",
        (0.03, 0.1, 0.2),
        (0.03,),
        crop,
    ),
    "contrast": Disturbance(
        "of {:g} times the contrast", "factor", (0.5, 0.8, 1.25, 2.0), (0.8, 1.25), contrast
    ),
    "gamma": Disturbance(
        "regraded by a gamma of {:g}", "gamma", (0.5, 0.8, 1.25, 2.0), (0.8, 1.25), gamma
    ),
    "blur": Disturbance(
        "blurred by {:g} pixels", "deviation in pixels", (0.5, 1.0, 2.0), (0.5,), blur
    ),
    "noise": Disturbance(
        "noisy by {:g} of 255 greys", "deviation in greys", (4.0, 10.0, 20.0), (4.0,), noise
    ),
    "JPEG": Disturbance(
        "stored as JPEG of quality {:g}", "quality", (10.0, 25.0, 50.0), (50.0,), jpeg
    ),
    "resolution": Disturbance(
        "enlarged from {:.0%} of the side",
        "share of the side",
        (0.25, 0.5, 0.75),
        (0.75,),
        resolution,
    ),
    "inversion": Disturbance("inverted", "inverted", (1.0,), (), inversion),
}
"""Name -> change. No inversion is harmless: a film of the other polarity (MONOCHROME1 read as
MONOCHROME2) is a mistake that the reading of the file must prevent, and a model that tells it is no
worse than one that does not."""


def _seed(generator: np.random.Generator) -> int:
    return int(generator.integers(2**32))


def _each(change: Callable[[Pixels], cv2.typing.MatLike]) -> Change:
    """Returns what changes the pictures one by one."""
    return lambda pictures: np.stack([np.asarray(change(each), np.uint8) for each in pictures])


def _resized(picture: Pixels, size: int) -> Pixels:
    """Returns a picture with another side, averaged where it shrinks."""
    way = cv2.INTER_AREA if size < len(picture) else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (size, size), interpolation=way), np.uint8)


def _to_bytes(greys: NDArray[np.floating]) -> Pixels:
    result: Pixels = np.rint(np.clip(greys, 0, 255)).astype(np.uint8)
    return result
