"""A canvas: shapes given in the body's coordinates, drawn as layers at the image's size.

The body's coordinates put the origin on the midline halfway down the lungs; x grows towards the
patient's left, which is the image's right, y grows towards the feet, and 1 is half the inner
width of an average chest.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Layer = NDArray[np.float32]
"""float32 [height, width] on the plane of the image."""
Points = NDArray[np.float64]
"""float64 [..., n, 2]: points (x, y) in the body's coordinates."""
Curves = Points | Sequence[Points]
"""Curves of as many points each, [curves, n, 2], or of different numbers, [n, 2] each."""

_SUBPIXEL_BITS = 4
_COARSE = 4.0
"""Standard deviation in pixels from which a blur is done on a smaller image."""
_WHITE = np.float32(1 / 255)


def _catmull_rom(steps: int) -> NDArray[np.float64]:
    """Returns float64 [steps, 4]: weights of four knots along the segment between the middle two.

    Source: Catmull and Rom, A class of local interpolating splines, 1974.
    """
    t = np.linspace(0, 1, steps, endpoint=False)
    weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
    return 0.5 * np.stack(weights, axis=1)


_WEIGHTS = _catmull_rom(8)


@dataclass(frozen=True)
class Canvas:
    """The plane of one image.

    Attributes:
        height: in pixels.
        width: in pixels.
        matrix: float64 [2, 3], takes (x, y, 1) of the body to (column, row) of the image.
    """

    height: int
    width: int
    matrix: NDArray[np.float64]

    @property
    def unit(self) -> float:
        """Pixels in one unit of the body's coordinates."""
        (a, b), (c, d) = self.matrix[:, :2].tolist()
        return math.sqrt(abs(a * d - b * c))

    def pixels(self, points: ArrayLike) -> Points:
        """Returns (x, y) [..., 2] of the body as (column, row) [..., 2] of the image."""
        return np.asarray(points, np.float64) @ self.matrix[:, :2].T + self.matrix[:, 2]

    def fill(self, outlines: Curves) -> Layer:
        """Returns float32 [height, width]: 1 inside any of the closed outlines, 0 outside."""
        image = np.zeros((self.height, self.width), np.uint8)
        for outline in self._fixed(outlines):
            cv2.fillPoly(image, [outline], 255, cv2.LINE_AA, _SUBPIXEL_BITS)
        return np.multiply(image, _WHITE, dtype=np.float32)

    def stroke(self, lines: Curves, width: float) -> Layer:
        """Returns float32 [height, width] of the open lines.

        Args:
            lines: in the body's coordinates.
            width: of the line, in the same unit; one thinner than a pixel is drawn fainter.
        """
        image = np.zeros((self.height, self.width), np.uint8)
        thickness, value = _pen(width * self.unit)
        curves, closed = self._fixed(lines), False
        cv2.polylines(
            image, curves, closed, value, thickness, lineType=cv2.LINE_AA, shift=_SUBPIXEL_BITS
        )
        return np.multiply(image, _WHITE, dtype=np.float32)

    def blur(self, layer: Layer, sigma: float) -> Layer:
        """Returns the layer under a Gaussian blur of `sigma` units of the body's coordinates."""
        pixels = sigma * self.unit
        shrink = int(pixels / _COARSE) + 1
        if shrink == 1:
            return _gaussian(layer, pixels)
        # A wide blur leaves nothing that a smaller image could not hold.
        small = cv2.resize(
            layer,
            (-(-self.width // shrink), -(-self.height // shrink)),
            interpolation=cv2.INTER_AREA,
        )
        wide = _gaussian(small.astype(np.float32), pixels / shrink)
        size = (self.width, self.height)
        return cv2.resize(wide, size, interpolation=cv2.INTER_LINEAR).astype(np.float32)

    def texture(self, generator: np.random.Generator, grain: float) -> Layer:
        """Returns float32 [height, width] of smooth noise, mean 0 and deviation about 1.

        Args:
            generator: where the noise is drawn from.
            grain: distance of independent values, in units of the body's coordinates.
        """
        cell = max(1.0, grain * self.unit)
        shape = int(self.height / cell) + 4, int(self.width / cell) + 4
        values = generator.standard_normal(shape, np.float32)
        # Cubic between the values; where these lie wide apart, linear over the last few pixels.
        shrink = int(cell / 5) + 1
        size = -(-self.width // shrink), -(-self.height // shrink)
        place = np.array([[shrink / cell, 0, 1], [0, shrink / cell, 1]])
        fine = cv2.warpAffine(values, place, size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP)
        if shrink > 1:
            fine = cv2.resize(fine, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return fine.astype(np.float32) * np.float32(1.4)

    def _fixed(self, curves: Curves) -> list[NDArray[np.int32]]:
        """Returns the curves in OpenCV's fixed-point pixels."""
        one = 2**_SUBPIXEL_BITS
        if isinstance(curves, np.ndarray):
            return list(np.rint(self.pixels(curves) * one).astype(np.int32))
        return [np.rint(self.pixels(curve) * one).astype(np.int32) for curve in curves]


def smooth(points: ArrayLike, *, closed: bool = False) -> Points:
    """Returns the Catmull-Rom spline through the points [..., n, 2], eight points a segment."""
    knots = np.asarray(points, np.float64)
    before, after = (
        (knots[..., -1:, :], knots[..., :2, :])
        if closed
        else (knots[..., :1, :], knots[..., -1:, :])
    )
    around = np.concatenate([before, knots, after], axis=-2)
    segments = around.shape[-2] - 3
    windows = np.stack([around[..., i : segments + i, :] for i in range(4)], axis=-2)
    curve: Points = (_WEIGHTS @ windows).reshape(*knots.shape[:-2], -1, 2)
    return curve if closed else np.concatenate([curve, after], axis=-2)


def band(lines: Points, start: float, end: float) -> Points:
    """Returns outlines of rounded bands along the lines [..., n, 2], `start` to `end` wide."""
    along = np.gradient(lines, axis=-2)
    along /= np.linalg.norm(along, axis=-1, keepdims=True)
    place = np.linspace(-1, 1, lines.shape[-2])
    half = np.interp(place, (-1, 1), (start / 2, end / 2)) * np.sqrt(1 - 0.8 * place**12)
    away = along[..., ::-1] * (-1, 1) * half[:, None]
    return np.concatenate([lines + away, (lines - away)[..., ::-1, :]], axis=-2)


def _pen(pixels: float) -> tuple[int, int]:
    """Returns the thickness and the value that draw a line of this width as nearly as can be.

    OpenCV's antialiased line of thickness 1 is 1.4 pixels wide, one of an even n is n + 1.4.
    """
    thickness = 1 if pixels < 2.4 else max(2, 2 * round((pixels - 1.4) / 2))
    drawn = thickness + 1.4 if thickness > 1 else 1.4
    return thickness, round(255 * min(1.0, pixels / drawn))


def _gaussian(layer: Layer, sigma: float) -> Layer:
    if sigma < 0.2:
        return layer
    return cv2.GaussianBlur(layer, (0, 0), sigma).astype(np.float32)
