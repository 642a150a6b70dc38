"""The size of a compressed picture, and the comments in it, from its own header."""

import re
from collections.abc import Iterator
from typing import Final

_J2K: Final = b"\xff\x4f\xff\x51"
_JP2: Final = b"jP  \r\n\x87\n"
_JPEG: Final = b"\xff\xd8"

# Markers of ISO/IEC 10918-1 table B.1 and, for JPEG-LS, of 14495-1 table C.1.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
_JPEG_LS, _SCAN, _END = 0xF7, 0xDA, 0xD9
_COMMENT, _APPLICATION = 0xFE, range(0xE0, 0xF0)
# Of ISO/IEC 15444-1, table A.2.
_COMMENT_2000, _TILE = 0x64, 0x90
# What ends the coded data of a scan: a marker that is neither a restart nor a stuffed byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MARKER_LS: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


# What encoders call themselves; everything else could be about the patient.
_ENCODERS: Final = (
    b"Created by OpenJPEG",
    b"Created by GDCM",
    b"Creator: JasPer",
    b"Kakadu",
    b"OpenJPH",
)
# Segments of JPEG that are no comment: of JFIF, of Adobe's colours, and of JPEG-LS.
_TECHNICAL: Final = (b"JFIF\0", b"JFXX\0", b"Adobe", b"SPIFF\0", b"\0\0\0\1", b"mrfx")
_BOXES: Final = (b"xml ", b"uuid")


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


def comments_of(frame: bytes) -> list[bytes]:
    """Returns what a JPEG, JPEG-LS or JPEG 2000 picture holds beside the picture.

    These are comments, application data such as EXIF, and boxes of metadata; the name that an
    encoder leaves is none of them.
    """
    if frame.startswith(_JPEG):
        return [
            frame[at + 4 : at + 2 + length]
            for at, marker, length in _segments(frame)
            if (marker == _COMMENT or marker in _APPLICATION)
            and not frame.startswith(_TECHNICAL, at + 4)
        ]
    start = max(frame.find(_J2K), 0) if frame[4:12] == _JP2 else 0
    if not frame.startswith(_J2K, start):
        return []
    boxes = [box for box in _BOXES if box in frame[:start]]
    comments = [
        frame[at + 6 : at + 2 + length]
        for at, marker, length in _segments(frame, start)
        if marker == _COMMENT_2000 and not frame.startswith(_ENCODERS, at + 6)
    ]
    return boxes + comments


def _segments(frame: bytes, start: int = 0) -> Iterator[tuple[int, int, int]]:
    """Yields place, marker and length of the segments before the coded data."""
    at = start + 2
    while at + 3 < len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4])
        if marker == 0xFF:
            at += 1
            continue
        yield at, marker, length
        if marker in {_SCAN, _TILE}:
            return
        at += 2 + length


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
