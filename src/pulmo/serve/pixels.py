"""The pixels of an image for a viewer."""

import io
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

ImageForm = Literal["png", "png16", "raw16"]

MEDIA_TYPES: Final[dict[ImageForm, str]] = {
    "png": "image/png",
    "png16": "image/png",
    "raw16": "application/octet-stream",
}
_COMPRESSION: Final = 1  # of PNG: the viewer waits, and is near


def image_bytes(
    pixels: NDArray[np.float32], form: ImageForm, side: int | None
) -> tuple[bytes, int, int]:
    """Returns an image as bytes, with its height and width.

    Args:
        pixels: float32 [height, width] in [0, 1], 0 black.
        form: png: 8 bits; png16: 16 bits; raw16: rows of little-endian 16-bit values.
        side: the most pixels of the longer side; None for all.
    """
    if side is not None and side < max(pixels.shape):
        factor = side / max(pixels.shape)
        height, width = (max(1, round(factor * length)) for length in pixels.shape)
        image = Image.fromarray(pixels).resize((width, height), Image.Resampling.BOX)
        pixels = np.asarray(image, np.float32)
    height, width = pixels.shape
    if form == "png":
        return _png(np.rint(pixels * 255).astype(np.uint8)), height, width
    values = np.rint(pixels * 65535).astype("<u2")
    return (values.tobytes() if form == "raw16" else _png(values)), height, width


def _png(values: NDArray[np.generic]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, "PNG", compress_level=_COMPRESSION)
    return buffer.getvalue()
