"""The layout of a TIFF file: Pillow decodes some layouts wrongly without a word."""

import io
import struct
from typing import Any, NamedTuple

from PIL.TiffImagePlugin import ImageFileDirectory_v2

from pulmo.core.errors import RefusedError

_BITS, _PHOTOMETRIC, _SAMPLES, _FORMAT = 258, 262, 277, 339
_KINDS = {2: "signed", 3: "floating-point"}


class TiffLayout(NamedTuple):
    """How samples are stored (TIFF 6.0, section 8).

    Attributes:
        bits: bits of one sample.
        samples: samples of one pixel.
        from_white: whether 0 is white.
    """

    bits: int
    samples: int
    from_white: bool


def tiff_layout(data: bytes, name: str) -> TiffLayout:
    """Returns the layout of the first image of a TIFF file.

    Raises:
        RefusedError: the samples are signed, floating-point, or not of 1, 8 or 16 bits.
        Exception: whatever Pillow raises on a damaged file.
    """
    directory = ImageFileDirectory_v2(data[: 16 if _is_big(data) else 8])
    file = io.BytesIO(data)
    file.seek(directory.next)
    directory.load(file)
    kind = _first(directory.get(_FORMAT, 1))
    bits = _first(directory.get(_BITS, 1))
    if kind != 1 or bits not in {1, 8, 16}:
        raise RefusedError(
            "image-bits-unsupported",
            f"{name} is a TIFF file with {bits}-bit {_KINDS.get(kind, 'unsigned')} samples; "
            "1, 8 or 16 unsigned bits are read.",
        )
    return TiffLayout(
        bits, _first(directory.get(_SAMPLES, 1)), _first(directory.get(_PHOTOMETRIC, 1)) == 0
    )


def counted_from_black(data: bytes) -> bytes:
    """Returns a TIFF file with its PhotometricInterpretation changed from 0 to 1.

    Pillow ignores that tag on 16-bit grey little-endian files and does not open the big-endian
    ones; after this it gives the stored numbers of both, and the caller inverts them.
    """
    order, big = "<" if data.startswith(b"II") else ">", _is_big(data)
    directory = struct.unpack_from(f"{order}{'Q' if big else 'I'}", data, 8 if big else 4)[0]
    # Type 3, one number of 16 bits, which lies in the entry itself.
    head = struct.pack(f"{order}HH{'Q' if big else 'I'}", _PHOTOMETRIC, 3, 1)
    entry = data.find(head + b"\0\0", directory)
    if entry < 0:
        return data
    at = entry + len(head)
    return data[:at] + struct.pack(f"{order}H", 1) + data[at + 2 :]


def _is_big(data: bytes) -> bool:
    """Tells whether a TIFF file is a BigTIFF, whose places and counts have 64 bits."""
    return b"+" in data[2:4]


def _first(value: Any) -> int:  # noqa: ANN401 - a tag holds a number or a tuple of numbers
    return int(value[0] if isinstance(value, tuple) else value)
