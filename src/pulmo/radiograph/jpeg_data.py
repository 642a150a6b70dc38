"""Whether the data of a JPEG image reach its last row.

libjpeg makes up what coded data lack, and no Python package passes its warning on.
"""

import re
from typing import Final

from pulmo.radiograph.codestream import SCAN, jpeg_segments

_HUFFMAN: Final = range(0xC0, 0xC4)
_SEQUENTIAL: Final = frozenset({0xC0, 0xC1})
_ARITHMETIC: Final = range(0xC9, 0xCC)
_PROGRESSIVE: Final = (0xC2, 0xCA)
_RESTART_INTERVAL: Final = 0xDD
_END_OF_IMAGE: Final = b"\xff\xd9"
_RESTART: Final = re.compile(rb"\xff[\xd0-\xd7]")
# Bytes without a marker, whose bits follow no rule.
_FILL: Final = bytes(5 + at * at * 89 % 241 for at in range(1, 65))
# An arithmetic decoder reads some bytes ahead, and encoders leave out zeros at the end of the data
# (ISO/IEC 10918-1 D.1.8 and D.2.6). Before an even end of an image they leave out any number, but
# with more zeros here, data that end early would pass.
_ZEROS: Final = bytes(4)


def with_end(frame: bytes) -> bytes:
    """Returns a JPEG image whose end marker is missing with one, which decoders wait for."""
    return frame.rstrip(b"\xff") + _END_OF_IMAGE


def is_surely_whole(frame: bytes, last: int, bits: int) -> bool:
    """Tells whether the last pixel of an image shows that its coded data reach the last block.

    libjpeg leaves the blocks of a scan for which it has no data at the middle grey, since all
    their coefficients are zero. So where one sequential scan without restarts has all data, a last
    pixel of another grey was coded. Only a cut within the very last block is not seen, if an end
    marker hides it.

    Args:
        frame: a JPEG image of one channel, with its own end marker.
        last: the value that a decoder gives for its last pixel.
        bits: of a sample.

    Returns:
        False where this tells nothing.
    """
    if last == 2 ** (bits - 1):
        return False
    segments = list(jpeg_segments(frame))
    scans = [segment for segment in segments if segment.marker == SCAN]
    markers = {segment.marker for segment in segments}
    if len(scans) != 1 or not markers & _SEQUENTIAL or _RESTART_INTERVAL in markers:
        return False
    return _RESTART.search(frame, scans[0].end, scans[0].coded_end) is None


def with_other_data_behind(frame: bytes) -> bytes | None:
    """Returns a JPEG image with arbitrary bytes behind the coded data of each scan.

    An image whose data reach the last row does not depend on what follows them, so it decodes to
    the same pixels with these bytes. One whose data end early takes them for pixels.

    Returns:
        None where this tells nothing, because the data are neither Huffman codes nor arithmetic
        ones.
    """
    segments = list(jpeg_segments(frame))
    is_arithmetic = any(segment.marker in _ARITHMETIC for segment in segments)
    if not is_arithmetic and not any(segment.marker in _HUFFMAN for segment in segments):
        return None
    fill = _ZEROS + _FILL if is_arithmetic else _FILL
    pieces, done = [], 0
    for segment in segments:
        if segment.marker == SCAN:
            coded = frame[segment.end : segment.coded_end]
            pieces.append(frame[done : segment.end])
            markers = [*_RESTART.findall(coded), b""]
            for part, marker in zip(_RESTART.split(coded), markers, strict=True):
                # A last byte 0xFF must not begin a marker with what follows it.
                pieces += [part.rstrip(b"\xff"), fill, marker]
            # The marker of a restart that is missing, whose numbers run from 0 to 7.
            pieces += [bytes((0xFF, 0xD0 + (len(markers) - 1) % 8)), fill]
            done = segment.coded_end
    return b"".join([*pieces, frame[done:]])


def has_all_scans(frame: bytes) -> bool:
    """Tells whether no scan is missing that should refine what a progressive JPEG has sent.

    A band of coefficients that was sent without its lowest bits (Al above 0, ISO/IEC 10918-1
    G.1.1.1.2) is sent again until they are there.
    """
    segments = list(jpeg_segments(frame))
    if not any(segment.marker in _PROGRESSIVE for segment in segments):
        return True
    lowest: dict[tuple[int, int], int] = {}
    for segment in segments:
        if segment.marker != SCAN or segment.end - segment.start < 8:
            continue
        samples = frame[segment.start + 4]
        components = frame[segment.start + 5 : segment.start + 5 + 2 * samples : 2]
        first, last, bits = frame[segment.end - 3 : segment.end]
        for component in components:
            for place in range(first, min(last, 63) + 1):
                lowest[component, place] = bits & 0x0F
    return not any(lowest.values())
