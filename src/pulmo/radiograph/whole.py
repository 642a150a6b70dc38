"""Whether a PNG, JPEG, TIFF or BMP file holds all rows of its image.

The decoders fill the rest of an image whose data end early, and say nothing.
"""

import io
import zlib
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from PIL import Image
from PIL.BmpImagePlugin import BmpImageFile
from PIL.TiffImagePlugin import TiffImageFile

from pulmo.core.errors import InputError
from pulmo.radiograph.codestream import codestream_of
from pulmo.radiograph.jpeg_data import has_all_scans, is_surely_whole, with_other_data_behind

_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Colour type of a PNG file -> samples of a pixel (PNG, third edition, table 11.1)."""
_PLAIN: Final = ((0, 0, 1, 1),)
_ADAM7: Final = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)
"""First column and row, and the distances of columns and rows, of each pass (PNG, section 8.1)."""
_STEP: Final = 2**20

_JPEG_IN_TIFF: Final = 7
"""Of the tag 259 of TIFF 6.0, technical note 2."""
_YCBCR: Final = 6
"""Of the tag 262 of TIFF 6.0: colours that may have fewer samples than pixels."""


def check_whole(data: bytes, image: Image.Image, name: str, *, is_decoded: bool) -> None:
    """Checks that the file holds all rows; the end of a PNG file was looked for with its layout.

    Args:
        data: the file's bytes.
        image: the image that Pillow made of them.
        name: what a message calls the file.
        is_decoded: whether the image is decoded, so that what costs as much may be looked at.

    Raises:
        InputError: it does not.
    """
    whole = True
    if isinstance(image, TiffImageFile):
        whole = _tiff_is_whole(data, image.tag_v2)
        if whole and is_decoded and image.tag_v2.get(259) == _JPEG_IN_TIFF:
            whole = _tiff_jpeg_is_whole(data, image.tag_v2)
    elif isinstance(image, BmpImageFile):
        # Pillow decodes no BMP file that is too short.
        whole = is_decoded or _bmp_is_whole(data, image)
    elif image.format == "PNG" and is_decoded:
        whole = _png_is_whole(data, image)
    elif image.format == "JPEG":
        whole = _jpeg_is_whole(data, image) if is_decoded else codestream_of(data) is not None
    if not whole:
        raise _truncated(image, name)


def is_grey_and_whole(data: bytes, image: Image.Image) -> bool:
    """Tells whether a file is a JPEG of one channel whose last pixel shows that it is whole.

    Args:
        data: the file's bytes, with an end marker of their own.
        image: what Pillow decoded of them.
    """
    if image.format != "JPEG" or image.mode != "L":
        return False
    last = image.getpixel((image.width - 1, image.height - 1))
    # One channel gives a number.
    return isinstance(last, float | int) and is_surely_whole(data, int(last), bits=8)


def png_is_ended(data: bytes) -> bool:
    """Tells whether the chunks of a PNG file follow one another up to its last, by their lengths.

    Where the data were cut, a last chunk behind them lies within the one that was cut.
    """
    at = 8
    while at + 12 <= len(data):
        if data[at + 4 : at + 8] == b"IEND":
            return True
        at += 12 + int.from_bytes(data[at : at + 4])
    return False


def load_whole(image: Image.Image, name: str) -> None:
    """Decodes an image that was opened.

    Raises:
        InputError: Pillow itself says that its data end early.
        Exception: whatever else Pillow raises on damaged data.
    """
    try:
        image.load()
    except OSError as error:
        if "truncated" not in str(error):
            raise
        raise _truncated(image, name) from None


def _truncated(image: Image.Image, name: str) -> InputError:
    return InputError(
        "image-truncated",
        f"{name} is a truncated {image.format} file: its data end before its last row.",
    )


def _jpeg_is_whole(data: bytes, image: Image.Image) -> bool:
    """Tells whether the coded data of a JPEG file reach the last row.

    Args:
        data: the file's bytes, with an end marker.
        image: what Pillow decoded of them.

    Raises:
        Exception: whatever Pillow raises on damaged data.
    """
    if not has_all_scans(data):
        return False
    other = with_other_data_behind(data)
    if other is None:
        return True
    with Image.open(io.BytesIO(other), formats=("JPEG",)) as again:
        return again.tobytes() == image.tobytes()


def _png_is_whole(data: bytes, image: Image.Image) -> bool:
    """Tells whether the compressed data of a PNG file hold all rows.

    Args:
        data: the file's bytes.
        image: what Pillow decoded of them. It leaves zeros where data are missing.
    """
    is_interlaced = data[28] != 0
    if not is_interlaced and np.asarray(image)[-1].any():
        return True
    expected = _bytes_of_png(data)
    for size in _unpacked_sizes(data):
        expected -= size
        if expected <= 0:
            return True
    return False


def _tiff_is_whole(data: bytes, tags: Any) -> bool:  # noqa: ANN401 - Pillow's mapping has no type
    """Tells whether the strips or tiles of a TIFF file are as many and as long as they must be.

    Args:
        data: the file's bytes.
        tags: the directory of its image, tag -> value.
    """
    tiled = 324 in tags
    offsets, lengths = (tags.get(tag, ()) for tag in ((324, 325) if tiled else (273, 279)))
    needed = list(_bytes_of_blocks(tags, tiled=tiled))
    if len(offsets) < len(needed):
        return False
    # Only uncompressed ones have a length that follows from the size; others are decoded strictly.
    is_plain = tags.get(259, 1) == 1 and tags.get(262) != _YCBCR
    for at, size in enumerate(needed):
        length = lengths[at] if at < len(lengths) and lengths[at] else size if is_plain else 0
        if offsets[at] + length > len(data) or (is_plain and length < size):
            return False
    return True


def _tiff_jpeg_is_whole(data: bytes, tags: Any) -> bool:  # noqa: ANN401 - see above
    """Tells whether the JPEG data in a TIFF file reach the last row of each strip or tile.

    Raises:
        Exception: whatever the decoder raises on damaged data.
    """
    from imagecodecs import jpeg8_decode  # noqa: PLC0415 - only these rare files need it

    tables = tags.get(347)
    places = (324, 325) if 324 in tags else (273, 279)
    for start, length in zip(*(tags[tag] for tag in places), strict=True):
        block = data[start : start + length]
        other = with_other_data_behind(block)
        frames = [block] if other is None else [block, other]
        first, *others = (
            jpeg8_decode(frame, tables=tables, colorspace="RGB", outcolorspace="RGB")
            if tags.get(277, 1) == 3
            else jpeg8_decode(frame, tables=tables)
            for frame in frames
        )
        if not all(np.array_equal(first, again) for again in others):
            return False
    return True


def _bmp_is_whole(data: bytes, image: BmpImageFile) -> bool:
    """Tells whether a BMP file is as long as its uncompressed rows, or compressed.

    Args:
        data: the file's bytes.
        image: what Pillow opened, not yet decoded.
    """
    codec, _, offset, arguments = image.tile[0]
    if codec != "raw" or not isinstance(arguments, tuple):
        return True
    return bool(offset + arguments[1] * image.height <= len(data))


def _bytes_of_png(data: bytes) -> int:
    """Returns how many bytes the rows of a PNG file have, each with the byte of its filter."""
    width, height = int.from_bytes(data[16:20]), int.from_bytes(data[20:24])
    bits = data[24] * _CHANNELS.get(data[25], 1)
    total = 0
    for left, top, across, down in _ADAM7 if data[28] else _PLAIN:
        columns, rows = -((left - width) // across), -((top - height) // down)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total


def _unpacked_sizes(data: bytes) -> Iterator[int]:
    """Yields how many bytes come out of the image data of a PNG file, part by part."""
    packer, at = zlib.decompressobj(), 8
    while at + 8 <= len(data):
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        part = data[at + 8 : at + 8 + length] if kind == b"IDAT" else b""
        while part:
            yield len(packer.decompress(part, _STEP))
            part = packer.unconsumed_tail
        at += 12 + length
    yield len(packer.flush())


def _bytes_of_blocks(tags: Any, *, tiled: bool) -> Iterator[int]:  # noqa: ANN401 - see above
    """Yields how many bytes each strip or tile has before it is compressed (TIFF 6.0)."""
    width, height, samples = tags[256], tags[257], tags.get(277, 1)
    planes = samples if tags.get(284, 1) == 2 else 1
    bits = tags.get(258, (1,))[0] * samples // planes
    if tiled:
        across, down = tags[322], tags[323]
        count = -(-width // across) * -(-height // down)
        yield from [down * ((across * bits + 7) // 8)] * (count * planes)
        return
    down = min(tags.get(278, height), height)
    for _ in range(planes):
        for top in range(0, height, down):
            yield min(down, height - top) * ((width * bits + 7) // 8)
