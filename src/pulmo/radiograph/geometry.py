"""How an image becomes the network's square input, and how a map on that square goes back."""

from typing import Literal, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.core.choices import Choice
from pulmo.radiograph.grey import GREY_SCALES
from pulmo.radiograph.grey.plain import PLAIN

Aspect = Literal["squash", "pad", "crop"]


class Box(NamedTuple):
    """A rectangle of whole pixels; the last row and column are outside.

    It may stick out of its image.
    """

    top: int
    bottom: int
    left: int
    right: int

    @property
    def shape(self) -> tuple[int, int]:
        """Its height and width."""
        return self.bottom - self.top, self.right - self.left

    def of(self, pixels: NDArray[np.float32], fill: float = 0.0) -> NDArray[np.float32]:
        """Returns the pixels within it, of float32 [height, width]; `fill` where there are none."""
        part = np.full(self.shape, fill, np.float32)
        inside = self.inside(pixels.shape[0], pixels.shape[1])
        part[inside.moved(-self.top, -self.left).slices] = pixels[inside.slices]
        return part

    def inside(self, height: int, width: int) -> "Box":
        """Returns what of it lies in an image of this height and width."""
        top, left = max(0, self.top), max(0, self.left)
        bottom, right = min(height, self.bottom), min(width, self.right)
        return Box(top, max(top, bottom), left, max(left, right))

    def moved(self, down: int, across: int) -> "Box":
        """Returns it so many pixels further down and to the right."""
        return Box(self.top + down, self.bottom + down, self.left + across, self.right + across)

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns, of an image that it does not stick out of."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def scaled(self, shape: tuple[int, int], to: tuple[int, int]) -> "Box":
        """Returns it on the same image at another size, of one pixel or more.

        Args:
            shape: height and width of the image.
            to: height and width that the image is resampled to.
        """
        down, across = to[0] / shape[0], to[1] / shape[1]
        top, left = (
            min(round(first * factor), side - 1)
            for first, factor, side in ((self.top, down, to[0]), (self.left, across, to[1]))
        )
        bottom, right = round(self.bottom * down), round(self.right * across)
        return Box(top, max(bottom, top + 1), left, max(right, left + 1))


class Fit(NamedTuple):
    """The square of an image's plane that becomes the input.

    Attributes:
        left: left edge in pixels of the image; negative where the square sticks out.
        top: upper edge.
        width: width in pixels of the image.
        height: height; differs from the width under `squash` only.
    """

    left: float
    top: float
    width: float
    height: float

    @classmethod
    def of(cls, height: int, width: int, aspect: Aspect) -> Self:
        """Returns the square that `aspect` takes from an image of this height and width."""
        if aspect == "squash":
            return cls(0, 0, width, height)
        side = max(height, width) if aspect == "pad" else min(height, width)
        return cls((width - side) / 2, (height - side) / 2, side, side)


def to_input(
    pixels: NDArray[np.float32],
    size: int,
    aspect: Aspect,
    grey: Choice = PLAIN,
    fill: float | None = None,
) -> NDArray[np.uint8]:
    """Returns the network's input of an image.

    Training, calibration and prediction all take their images from here.

    Args:
        pixels: float32 [height, width] in [0, 1].
        size: side of the input in pixels.
        aspect: squash ignores the aspect ratio, pad adds black or `fill`, crop takes the central
            square.
        grey: how its grey scale is changed, after the resampling and before black is added.
        fill: the grey in [0, 1] that pad adds, whose grey scale is changed like the image's; None
            for black.

    Returns:
        uint8 [size, size], 0 black, resampled with an antialiased triangle filter.
    """
    scale = GREY_SCALES.chosen(grey)
    height, width = pixels.shape
    fit = Fit.of(height, width, aspect)
    image = Image.fromarray(pixels)
    if aspect == "crop":
        box = (fit.left, fit.top, fit.left + fit.width, fit.top + fit.height)
        image = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
        return _quantise(scale.apply(np.asarray(image)))
    inner_width = max(1, round(size * width / fit.width))
    inner_height = max(1, round(size * height / fit.height))
    inner = image.resize((inner_width, inner_height), Image.Resampling.BILINEAR)
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    place = Box(top, top + inner_height, left, left + inner_width).slices
    if fill is not None:
        whole = np.full((size, size), fill, np.float32)
        whole[place] = np.asarray(inner)
        return _quantise(scale.apply(whole))
    square = np.zeros((size, size), np.uint8)
    square[place] = _quantise(scale.apply(np.asarray(inner)))
    return square


def to_image(
    values: NDArray[np.float32], shape: tuple[int, int], aspect: Aspect, box: Box | None = None
) -> NDArray[np.float32]:
    """Returns a map on the input square, resampled onto the image it came from.

    Args:
        values: float32 [rows, columns] over the input square, in any unit.
        shape: height and width of the image.
        aspect: how the image, or its part, became the square.
        box: the part of the image that became the square; None for all of it.

    Returns:
        float32 [height, width]; NaN where the network did not look: the edges under `crop`, and
        what is outside the box.
    """
    if box is not None:
        image = np.full(shape, np.nan, np.float32)
        inside, part = box.inside(*shape), to_image(values, box.shape, aspect)
        image[inside.slices] = part[inside.moved(-box.top, -box.left).slices]
        return image
    height, width = shape
    fit = Fit.of(height, width, aspect)
    rows, columns = values.shape
    left, top = max(fit.left, 0), max(fit.top, 0)
    right, bottom = min(fit.left + fit.width, width), min(fit.top + fit.height, height)
    seen = (
        (left - fit.left) / fit.width * columns,
        (top - fit.top) / fit.height * rows,
        (right - fit.left) / fit.width * columns,
        (bottom - fit.top) / fit.height * rows,
    )
    x0, y0, x1, y1 = round(left), round(top), round(right), round(bottom)
    resampled = Image.fromarray(np.ascontiguousarray(values, np.float32))
    placed = resampled.resize((x1 - x0, y1 - y0), Image.Resampling.BICUBIC, box=seen)
    image = np.full(shape, np.nan, np.float32)
    image[y0:y1, x0:x1] = np.asarray(placed)
    return image


def _quantise(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)
