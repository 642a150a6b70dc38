"""Radiograph: one image, and the reader that makes it of a file's bytes."""

import hashlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.radiograph.content import known_format
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.geometry import to_input
from pulmo.radiograph.guard import quiet_decoders
from pulmo.radiograph.limits import LIMITS, Limits
from pulmo.radiograph.notes import Note
from pulmo.radiograph.raster import decode_raster

_FEW_BITS: Final = 12
"""Bits of a 16-bit image up to which it is nearly black: a sixteenth of the range at most."""


@dataclass(frozen=True, eq=False)
class Radiograph:
    """One image, as it is meant to be looked at: air dark, bone bright.

    Attributes:
        pixels: float32 [height, width] in [0, 1], C-contiguous; 0 is black.
        sha256: SHA-256 of the file's bytes; of an array, that of its pixels (`pixels_sha256`).
        facts: what the file says of the image.
    """

    pixels: NDArray[np.float32]
    sha256: str
    facts: Facts
    _squashed: dict[int, NDArray[np.uint8]] = field(default_factory=dict, init=False, repr=False)

    def squashed(self, size: int) -> NDArray[np.uint8]:
        """Returns all of it as a square of bytes, uint8 [size, size], its aspect ratio ignored.

        It is made once: the gate and the network of the lungs see the same square.
        """
        if size not in self._squashed:
            self._squashed[size] = to_input(self.pixels, size, "squash")
        return self._squashed[size]


def read_radiograph(path: str | os.PathLike[str], limits: Limits = LIMITS) -> Radiograph:
    """Reads a PNG, JPEG, TIFF, BMP, WebP, JPEG 2000 or DICOM file.

    Raises:
        InputError: the file is missing, a folder, damaged or of another kind.
        RefusedError: it is readable, but not one grey image within the limits.
    """
    path = Path(path)
    if path.is_file():
        limits.check_bytes(path.stat().st_size, str(path))
    return decode_radiograph(read_bytes(path), str(path), limits)


def pixels_sha256(pixels: NDArray[np.float32]) -> str:
    """Returns the SHA-256 of an image's shape and pixels, which no lossless re-encoding changes.

    Args:
        pixels: float32 [height, width] in [0, 1], C-contiguous.
    """
    digest = hashlib.sha256(repr(pixels.shape).encode())
    digest.update(pixels.data)
    return digest.hexdigest()


def decode_radiograph(data: bytes, name: str, limits: Limits = LIMITS) -> Radiograph:
    """Makes a radiograph of a file's bytes; `name` is what messages call the file.

    Raises:
        InputError: the bytes are damaged, or of another format than `read_radiograph` names.
        RefusedError: they are readable, but not one grey image within the limits.
    """
    if not data:
        raise InputError("file-empty", f"{name} is empty.")
    limits.check_bytes(len(data), name)
    with quiet_decoders:
        pixels, facts = _decode(data, name, limits)
    _check_pixels(pixels, name)
    if facts.bits == 16 and facts.format != "DICOM":
        facts = facts._replace(notes=(*facts.notes, *_unused_bits(pixels)))
    return Radiograph(np.ascontiguousarray(pixels), sha256(data), facts)


def radiograph_from_array(
    array: NDArray[np.generic],
    value_range: tuple[float, float],
    name: str = "The array",
    limits: Limits = LIMITS,
) -> Radiograph:
    """Makes a radiograph of an array of grey values.

    Args:
        array: numbers, [height, width].
        value_range: the values that are shown black and white, such as (0, 255). If the first is
            the larger one, low values are bright.
        name: what messages call the array.
        limits: what is accepted.

    Raises:
        UsageError: the array is not [height, width] of real numbers, the two ends of the range are
            equal or not finite, or a value lies outside of the range.
        RefusedError: it holds values that are not numbers, shows nothing, or is outside the limits.
    """
    if array.ndim != 2 or array.dtype.kind not in "biuf":
        raise UsageError(
            "array-invalid",
            f"{name} has the shape {array.shape} and the type {array.dtype}; one grey image of "
            "real numbers, [height, width], was expected.",
        )
    height, width = array.shape
    limits.check_shape(height, width, name)
    values = array.astype(np.float64)
    black, white = value_range
    if not np.isfinite([black, white]).all() or black == white:
        raise UsageError(
            "value-range-invalid",
            f"A value range has two different finite ends; {value_range} was given.",
        )
    pixels = (values - black) / (white - black)
    if (pixels < 0).any() or (pixels > 1).any():
        raise UsageError(
            "value-range-exceeded",
            f"{name} contains values from {values.min():g} to {values.max():g}, which are outside "
            f"the stated range from {black:g} to {white:g}.",
        )
    grey = np.ascontiguousarray(pixels, np.float32)
    _check_pixels(grey, name)
    return Radiograph(grey, pixels_sha256(grey), Facts("array", array.dtype.itemsize * 8))


def _check_pixels(pixels: NDArray[np.float32], name: str) -> None:
    """Refuses an image that shows nothing.

    Raises:
        RefusedError: a pixel is not a number, or all are equal.
    """
    if not np.isfinite(pixels).all():
        raise RefusedError("pixels-not-finite", f"{name} contains values that are not numbers.")
    if pixels.min() == pixels.max():
        raise RefusedError(
            "image-blank", f"{name} is blank: all pixels of the displayed image are equal."
        )


def _unused_bits(pixels: NDArray[np.float32]) -> tuple[Note, ...]:
    """Returns a note where a 16-bit image, whose range nothing states, leaves upper bits unused."""
    largest = round(float(pixels.max()) * 65535)
    if largest.bit_length() < 16:
        text = f"The values use {largest.bit_length()} of 16 bits, so the image is dark."
        return (Note("bits-unused", text),)
    if np.count_nonzero(pixels >= 2**_FEW_BITS / 65535) <= pixels.size // 1000:
        text = f"All but a few pixels use {_FEW_BITS} of 16 bits or fewer, so the image is dark."
        return (Note("hot-pixel", text),)
    return ()


def _decode(data: bytes, name: str, limits: Limits) -> tuple[NDArray[np.float32], Facts]:
    form = known_format(data, name)
    if form == "DICOM":
        # pydicom costs a tenth of a second that a PNG need not pay.
        from pulmo.radiograph.dicom import decode_dicom  # noqa: PLC0415 - see above

        return decode_dicom(data, name, limits)
    return decode_raster(data, form, name, limits)
