"""A compressed image becomes numbers, by one decoder for each kind of compression.

The decoders run in this process: `benchmarks/decoders_under_mutation.py` found no input that ends
or stops it.
"""

import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

# It loads a decoder when that is first asked for.
import imagecodecs
import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.radiograph.codestream import (
    END_OF_2000,
    SCAN,
    Codestream,
    Compression,
    end_of_2000,
    jpeg_segments,
    start_of_2000,
)
from pulmo.radiograph.jpeg_data import has_all_scans, with_end, with_other_data_behind

_LS_PRESET: Final = 0xF8
_RUN: Final = 128
"""The samples of the longest run of RLE."""
_BEYOND: Final = 4096
"""How many samples behind the last one are looked at."""
_RLE_HEADER: Final = struct.Struct("<16I")


class TruncatedError(InputError):
    """The coded data end before the last row."""

    def __init__(self) -> None:
        super().__init__("codestream-truncated", "The coded data end before the last row.")


def decode_codestream(frame: bytes, head: Codestream) -> NDArray[Any]:
    """Decodes a compressed image; colours stay as they were coded.

    Args:
        frame: the image.
        head: what its header says, or of RLE what is around it. The caller has checked its size.

    Returns:
        integers [height, width] or [height, width, samples].

    Raises:
        TruncatedError: the data end before the last row.
        Exception: whatever a decoder raises on damaged data, and where other data end early.
    """
    values = DECODERS[head.kind].decode(frame, head)
    shape = head.height, head.width, *([head.samples] if head.samples > 1 else [])
    if values.shape != shape:
        raise ValueError("The decoder gave another number of pixels than the header says.")
    return np.asarray(values)


def _jpeg_2000(frame: bytes, _: Codestream) -> NDArray[Any]:
    # Boxes around the codestream may ask for a palette or a colour profile.
    codestream = _ended_2000(frame[start_of_2000(frame) :])
    return np.asarray(imagecodecs.jpeg2k_decode(codestream))


def _ended_2000(codestream: bytes) -> bytes:
    """Returns a JPEG 2000 codestream with its end marker, if only that is missing.

    Raises:
        TruncatedError: a part of a tile is shorter than it says.
    """
    end = end_of_2000(codestream)
    if end > len(codestream):
        raise TruncatedError
    is_ended = codestream.startswith(END_OF_2000, end) or END_OF_2000 in codestream[-4:]
    return codestream if is_ended else codestream[:end] + END_OF_2000


def _rle(frame: bytes, head: Codestream) -> NDArray[Any]:
    """Decodes RLE Lossless (PS3.5 annex G) to unsigned integers."""
    height, width, samples, size = head.height, head.width, head.samples, head.bits // 8
    count, *starts = _RLE_HEADER.unpack_from(frame)
    if count != samples * size:
        raise ValueError("The number of segments does not fit the samples.")
    ends = [*starts[1:count], len(frame)]
    planes = np.empty((samples, size, height * width), np.uint8)
    for at, (start, end) in enumerate(zip(starts, ends, strict=False)):
        # The most significant byte of a sample comes first.
        planes[at // size, size - 1 - at % size] = _unpacked(frame[start:end], height * width)
    values = np.ascontiguousarray(planes.transpose(2, 0, 1)).view(f"<u{size}")
    return values.reshape((height, width) if samples == 1 else (height, width, samples))


def _unpacked(segment: bytes, length: int) -> NDArray[np.uint8]:
    unpacked = imagecodecs.packbits_decode(segment, out=length + _BEYOND)
    if len(unpacked) < length:
        raise TruncatedError
    # Some encoders fill up the last run of an image, and zeros may follow.
    if len(unpacked) - length >= _RUN and any(unpacked[length:]):
        raise ValueError("There are more samples than the header says.")
    return np.frombuffer(unpacked, np.uint8, length)


def _jpeg_ls(frame: bytes, head: Codestream) -> NDArray[Any]:
    """Decodes a JPEG-LS image; of fewer than 8 bits, also one with the thresholds of old encoders.

    CharLS up to 1.0, which is in DCMTK and GDCM, did not take its thresholds from ISO/IEC 14495-1
    C.2.4.1.1.1 for these. With the wrong ones, the data come to no end.
    """
    frame = frame if head.is_ended else with_end(frame)
    try:
        return np.asarray(imagecodecs.jpegls_decode(frame))
    except imagecodecs.JpeglsError:
        places = {segment.marker: segment.start for segment in jpeg_segments(frame)}
        if head.bits >= 8 or _LS_PRESET in places:
            raise
        scan = places[SCAN]
        near = frame[scan + 5 + 2 * frame[scan + 4]]
        numbers = (2**head.bits - 1, 2 + 3 * near, 3 + 5 * near, 4 + 7 * near, 64)
        preset = struct.pack(">BBHB5H", 0xFF, _LS_PRESET, 13, 1, *numbers)
        return np.asarray(imagecodecs.jpegls_decode(frame[:scan] + preset + frame[scan:]))


def _jpeg(frame: bytes, head: Codestream) -> NDArray[Any]:
    """Decodes a JPEG image twice, with other data behind its own the second time."""
    frame = frame if head.is_ended else with_end(frame)
    colours = "RGB" if head.samples == 3 else None
    values: NDArray[Any] = _by_libjpeg(frame, colours)
    other = with_other_data_behind(frame)
    if not has_all_scans(frame):
        raise TruncatedError
    if other is not None and not np.array_equal(values, _by_libjpeg(other, colours)):
        raise TruncatedError
    return values


def _by_libjpeg(frame: bytes, colours: str | None) -> NDArray[Any]:
    return np.asarray(imagecodecs.jpeg8_decode(frame, colorspace=colours, outcolorspace=colours))


class Decoder(NamedTuple):
    """What decodes one kind of compression.

    Attributes:
        library: that imagecodecs brings.
        decode: gives integers [height, width] or [height, width, samples] of an image and its
            header; raises anything on damaged data.
    """

    library: str
    decode: Callable[[bytes, Codestream], NDArray[Any]]


DECODERS: Final[Mapping[Compression, Decoder]] = {
    "JPEG": Decoder("libjpeg-turbo", _jpeg),
    "JPEG-LS": Decoder("CharLS", _jpeg_ls),
    "JPEG 2000": Decoder("OpenJPEG", _jpeg_2000),
    "RLE": Decoder("imagecodecs' PackBits", _rle),
}
"""Kind of compression -> its one decoder; `dicom_syntax` has the kind of each transfer syntax."""
