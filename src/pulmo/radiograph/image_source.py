"""What an image may be given as: a file's name, its bytes, an image of Pillow, or an array."""

import io
import os
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.core.errors import UsageError
from pulmo.radiograph import (
    Radiograph,
    decode_radiograph,
    radiograph_from_array,
    read_radiograph,
)

ImageSource = str | os.PathLike[str] | bytes | Image.Image | NDArray[Any] | Radiograph
"""A file, its bytes, an image of Pillow, an array [height, width], or an image that was read."""

ValueRange = tuple[float, float]
"""The values of an array that are shown black and white."""

_PNG_MODES: Final = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")
"""Modes of Pillow that a PNG file keeps as they are."""


def name_of(source: ImageSource, default: str) -> str:
    """Returns what messages and tables call an image: its file's name, else the default."""
    return os.fspath(source) if isinstance(source, str | os.PathLike) else default


def open_image(
    source: ImageSource, name: str = "The image", value_range: ValueRange | None = None
) -> Radiograph:
    """Returns an image, however it is given.

    Args:
        source: the image.
        name: what messages call it.
        value_range: of an array, and of nothing else, the values that are shown black and white.

    Raises:
        InputError: the file is missing or damaged.
        RefusedError: it is readable, but not one grey image within the limits.
        UsageError: an array has no value range or does not fit it, or the image is not an array and
            has one; or an image of Pillow has a mode that no file keeps.
    """
    if isinstance(source, np.ndarray):
        if value_range is None:
            raise UsageError(
                "value-range-missing",
                f"{name} is an array without a value range: the values of black and white, such as "
                "(0, 255).",
            )
        return radiograph_from_array(source, value_range, name)
    if value_range is not None:
        raise UsageError(
            "array-expected",
            f"{name} is not an array, and a value range can only be given for an array.",
        )
    match source:
        case Radiograph():
            return source
        case bytes():
            return decode_radiograph(source, name)
        case Image.Image():
            return decode_radiograph(_png_of(source, name), name)
        case _:
            return read_radiograph(source)


def _png_of(image: Image.Image, name: str) -> bytes:
    """Returns an image as a PNG file, so that it is read as every file is."""
    if image.mode not in _PNG_MODES:
        raise UsageError(
            "image-mode-unstated",
            f"{name} has Pillow's mode {image.mode}, whose value range is not defined. Give it as "
            "an array with its value range.",
        )
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=0)
    return buffer.getvalue()
