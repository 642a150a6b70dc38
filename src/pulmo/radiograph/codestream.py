"""What a compressed image's own header says, and the comments in it."""

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

J2K: Final = b"\xff\x4f\xff\x51"
"""First bytes of a JPEG 2000 codestream."""
JP2: Final = b"\0\0\0\x0cjP  \r\n\x87\n"
"""First bytes of the file format around one."""
_JPEG: Final = b"\xff\xd8"

# Markers of ISO/IEC 10918-1 table B.1 and, for JPEG-LS, of 14495-1 table C.1.
_FRAMES: Final = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
SCAN: Final = 0xDA
_JPEG_LS, _END = 0xF7, 0xD9
# Markers without a length: TEM, the restarts and the start of an image.
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})
_COMMENT, _APPLICATION = 0xFE, range(0xE0, 0xF0)
# Of ISO/IEC 15444-1, table A.2.
_COMMENT_2000, _TILE = 0x64, 0x90
END_OF_2000: Final = b"\xff\xd9"
_ANY_MARKER: Final = re.compile(rb"\xff[\x01-\xfe]")
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
MOST_BITS: Final = 16
"""Of a sample; no radiograph has more."""
_BOXES: Final = (b"xml ", b"uuid")

Compression = Literal["JPEG", "JPEG-LS", "JPEG 2000", "RLE"]
"""Kinds of compression; JPEG is also JPEG Lossless, and JPEG 2000 also the high-throughput one."""


class Codestream(NamedTuple):
    """What the header of a JPEG, JPEG-LS or JPEG 2000 image says.

    An image in RLE has none, so that the DICOM header around it says this.

    Attributes:
        kind: of compression.
        height: in pixels.
        width: in pixels.
        samples: of one pixel.
        bits: of one sample, its precision.
        signed: whether the samples are signed; only JPEG 2000 can say so.
        is_rgb: whether three samples are red, green and blue; None where it does not say so.
        is_ended: whether the end marker is there; of JPEG 2000 it is not looked for.
        scans: how often the data of a JPEG image pass over it.
    """

    kind: Compression
    height: int
    width: int
    samples: int
    bits: int
    signed: bool = False
    is_rgb: bool | None = None
    is_ended: bool = True
    scans: int = 1


class Segment(NamedTuple):
    """A marker segment: its marker, where it begins, and where what follows its length ends.

    Attributes:
        marker: its second byte.
        start: where the marker lies.
        end: behind the segment.
        coded_end: behind the coded data that follow a scan's header; else `end`.
    """

    marker: int
    start: int
    end: int
    coded_end: int


def codestream_of(frame: bytes) -> Codestream | None:
    """Returns what the header of a JPEG, JPEG-LS or JPEG 2000 image says.

    A decoder allocates what the codestream says, whatever the header around it says.

    Returns:
        None when the bytes are none of these, end before the coded data, or are of a kind that is
        not read: several frames, or components that differ in depth or distance.
    """
    if frame.startswith(_JPEG):
        return _of_jpeg(frame)
    start = start_of_2000(frame)
    return _of_jpeg_2000(frame[start : start + 64]) if frame.startswith(J2K, start) else None


def comments_of(frame: bytes) -> list[bytes]:
    """Returns what a JPEG, JPEG-LS or JPEG 2000 file contains apart from the image.

    These are comments, application data such as EXIF, and boxes of metadata; the name that an
    encoder leaves is none of them.
    """
    if frame.startswith(_JPEG):
        return [
            frame[segment.start + 4 : segment.end]
            for segment in jpeg_segments(frame)
            if (segment.marker == _COMMENT or segment.marker in _APPLICATION)
            and not frame.startswith(_TECHNICAL, segment.start + 4)
        ]
    start = start_of_2000(frame)
    if not frame.startswith(J2K, start):
        return []
    boxes = [box for box in _BOXES if box in frame[:start]]
    comments = [
        frame[at + 6 : at + 2 + length]
        for at, marker, length in _segments_of_2000(frame, start)
        if marker == _COMMENT_2000 and not frame.startswith(_ENCODERS, at + 6)
    ]
    return boxes + comments


def start_of_2000(frame: bytes) -> int:
    """Returns where a JPEG 2000 codestream begins; boxes may lie before it (15444-1 annex I)."""
    return max(frame.find(J2K), 0) if frame.startswith(JP2) else 0


def _segments_of_2000(frame: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Yields place, marker and length of the segments before the first tile."""
    at = start + 2
    while at + 3 < len(frame) and frame[at] == 0xFF:
        marker, length = frame[at + 1], int.from_bytes(frame[at + 2 : at + 4])
        yield at, marker, length
        if marker == _TILE:
            return
        at += 2 + length


def end_of_2000(codestream: bytes) -> int:
    """Returns where the parts of the tiles end, by the lengths that they state (15444-1 A.4.2)."""
    tiles = [at for at, marker, _ in _segments_of_2000(codestream, 0) if marker == _TILE]
    at = tiles[0] if tiles else len(codestream)
    while codestream.startswith(b"\xff\x90", at):
        length = int.from_bytes(codestream[at + 6 : at + 10])
        # The last part may leave its length open; no part is shorter than its own header.
        at = at + length if length >= 12 else len(codestream)
    return at


def jpeg_segments(frame: bytes) -> Iterator[Segment]:
    """Yields the segments of a JPEG or JPEG-LS image up to its end (ISO/IEC 10918-1 annex B).

    What lies between two segments and is no marker is skipped, as every decoder does.
    """
    at, after_scan = 2, _MARKER
    while found := _ANY_MARKER.search(frame, at):
        at, marker = found.start(), frame[found.start() + 1]
        if marker == _END:
            yield Segment(marker, at, at + 2, at + 2)
            return
        if marker in _ALONE:
            at += 2
            continue
        end = at + 2 + int.from_bytes(frame[at + 2 : at + 4])
        if end > len(frame) or end < at + 4:
            return
        if marker == _JPEG_LS:
            after_scan = _MARKER_LS
        coded_end = end
        if marker == SCAN:
            behind = after_scan.search(frame, end)
            coded_end = behind.start() if behind else len(frame)
        yield Segment(marker, at, end, coded_end)
        at = coded_end


def _of_jpeg_2000(head: bytes) -> Codestream | None:
    """Reads the SIZ segment (15444-1 A.5.1)."""
    if len(head) < 45:
        return None
    right, bottom, left, top = (int.from_bytes(head[at : at + 4]) for at in range(8, 24, 4))
    samples = int.from_bytes(head[40:42])
    # Depth and distances of each component, of which a radiograph has at most four.
    kinds = {head[at : at + 3] for at in range(42, 42 + 3 * min(samples, 5), 3)}
    depth, *steps = head[42:45]
    if len(kinds) != 1 or steps != [1, 1]:
        return None
    height, width, bits = bottom - top, right - left, (depth & 0x7F) + 1
    return Codestream("JPEG 2000", height, width, samples, bits, signed=bool(depth & 0x80))


def _of_jpeg(frame: bytes) -> Codestream | None:
    found, is_rgb = None, None
    scans, ended = 0, False
    for marker, start, end, _ in jpeg_segments(frame):
        scans += marker == SCAN
        ended |= marker == _END
        if marker in _FRAMES:
            samples = frame[start + 9] if end - start >= 10 else 0
            # A second frame would be hierarchical JPEG, which nobody decodes.
            if found is not None or end - start < 10 + 3 * samples or not samples:
                return None
            kind: Compression = "JPEG-LS" if marker == _JPEG_LS else "JPEG"
            height, width = (int.from_bytes(frame[start + at : start + at + 2]) for at in (5, 7))
            found = Codestream(kind, height, width, samples, frame[start + 4])
            if bytes(frame[start + 10 : end : 3]).upper() == b"RGB":
                is_rgb = True
        elif frame.startswith(b"JFIF\0", start + 4) and is_rgb is None:
            is_rgb = False
        elif frame.startswith(b"Adobe", start + 4) and end - start >= 16:
            is_rgb = frame[start + 15] == 0
    if found is None or not scans:
        return None
    is_rgb = None if found.kind == "JPEG-LS" else is_rgb
    return found._replace(is_rgb=is_rgb, is_ended=ended, scans=scans)
