"""The size that a WebP file states.

Pillow's decoder takes the memory of two whole images when it opens a file, so the size has to be
known before.
"""

import struct
from typing import Final

_START: Final = b"\x9d\x01\x2a"
"""Before the size of a lossy image (RFC 6386, 9.1)."""


def webp_shape(data: bytes) -> tuple[int, int] | None:
    """Returns height and width of a WebP file (RFC 9649, 2.5 to 2.7).

    Args:
        data: the file's bytes; they begin with RIFF.

    Returns:
        What the first chunk states; None if it is none of the three that may come first, or ends
        early.
    """
    chunk, body = data[12:16], data[20:30]
    if len(body) < 10:
        return None
    if chunk == b"VP8 " and body[3:6] == _START:
        width, height = struct.unpack("<HH", body[6:10])
        # The upper two bits say how a viewer scales the image.
        return height & 0x3FFF, width & 0x3FFF
    if chunk == b"VP8L":
        (bits,) = struct.unpack("<I", body[1:5])
        return (bits >> 14 & 0x3FFF) + 1, (bits & 0x3FFF) + 1
    if chunk == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
        return height + 1, width + 1
    return None
