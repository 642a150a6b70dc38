"""The size of a compressed picture, from its own header."""

import re
from typing import Final

_J2K: Final = b"\xff\x4f\xff\x51"
_JP2: Final = b"jP  \r\n\x87\n"
_JPEG: Final = b"\xff\xd8"

# Markers of ISO/IEC 10918-1 table B.1 and, for JPEG-LS, of 14495-1 table C.1.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_JPEG_LS, _SCAN, _END = 0xF7, 0xDA, 0xD9
# What ends the coded data of a scan: a marker that is neither a restart nor a stuffed byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MARKER_LS: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


def codestream_shape(frame: bytes) -> tuple[int, int] | None:
    """Returns the height and width of a JPEG, JPEG-LS or JPEG 2000 picture.

    A decoder allocates what the codestream says, whatever the DICOM header around it says, and
    some fill the rest of a truncated picture without a word.

    Returns:
        None when the bytes are none of these, or are not whole.
    """
    if frame.startswith(_JPEG):
        return _jpeg_shape(frame)
    # The JP2 file format wraps a codestream in boxes (15444-1 annex I).
    start = max(frame.find(_J2K), 0) if frame[4:12] == _JP2 else 0
    if not frame.startswith(_J2K, start) or len(frame) < start + 24:
        return None
    # Xsiz, Ysiz, XOsiz, YOsiz of the SIZ segment (ISO/IEC 15444-1 A.5.1).
    right, bottom, left, top = (
        int.from_bytes(frame[start + at : start + at + 4]) for at in range(8, 24, 4)
    )
    return bottom - top, right - left


def _jpeg_shape(frame: bytes) -> tuple[int, int] | None:
    """Walks from segment to segment to the end of the picture (ISO/IEC 10918-1 annex B)."""
    at, shape, after_scan = 2, None, _MARKER
    while at + 1 < len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4])
        if marker == 0xFF:
            at += 1
            continue
        if marker == _END:
            return shape
        if marker in _FRAMES:
            if shape is not None or length < 8:
                return None
            shape = int.from_bytes(frame[at + 5 : at + 7]), int.from_bytes(frame[at + 7 : at + 9])
            after_scan = _MARKER_LS if marker == _JPEG_LS else _MARKER
        at += 2 + length
        if marker == _SCAN:
            found = after_scan.search(frame, at)
            at = found.start() if found else len(frame)
    return None
