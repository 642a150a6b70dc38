"""A plain JPEG 2000 file: its samples, without what its file format may do to them."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.codestream import MOST_BITS, Codestream, codestream_of, start_of_2000
from pulmo.radiograph.limits import Limits, check_effort

_COLOURS: Final = {16: "sRGB", 17: "grey"}
"""Enumerated colour spaces of ISO/IEC 15444-1 table I.10 that mean what the samples say."""


class Samples2000(NamedTuple):
    """What was decoded: unsigned [height, width] or [height, width, 3] in [0, top]."""

    values: NDArray[Any]
    top: int


def jpeg_2000_head(data: bytes, name: str, limits: Limits) -> Codestream:
    """Returns the header of a file that holds one grey image or one in red, green and blue.

    Raises:
        InputError: the header is damaged.
        RefusedError: the image is too large or too small, or of another kind.
    """
    head = codestream_of(data)
    if head is None:
        raise InputError(
            "codestream-header-invalid",
            f"{name} is a JPEG 2000 file whose header is damaged, incomplete or of a kind that is "
            "not read.",
        )
    limits.check_shape(head.height, head.width, name)
    check_effort(head, len(data), name)
    boxes = data[: start_of_2000(data)]
    if head.samples not in {1, 3} or head.signed or head.bits > MOST_BITS or b"pclr" in boxes:
        raise RefusedError(
            "image-bits-unsupported",
            f"{name} is a JPEG 2000 file with {head.samples} channels of {head.bits} bits; 1 or 3 "
            f"unsigned channels of at most {MOST_BITS} bits without a palette are read.",
        )
    place = boxes.find(b"colr")
    # Method 1 is an enumerated colour space; method 2 a profile, whose tone curve is not applied.
    colours = int.from_bytes(boxes[place + 7 : place + 11]) if boxes[place + 4 : place + 5] else 0
    if place >= 0 and not (boxes[place + 4] == 1 and colours in _COLOURS):
        raise RefusedError(
            "colour-space-unsupported",
            f"{name} is a JPEG 2000 file in a colour space that is not read; "
            f"{' and '.join(_COLOURS.values())} are.",
        )
    return head


def jpeg_2000_samples(data: bytes, head: Codestream, name: str) -> Samples2000:
    """Decodes the codestream in a JPEG 2000 file that `jpeg_2000_head` has passed.

    Raises:
        InputError: its data end early.
        Exception: whatever the decoder raises on damaged data.
    """
    from pulmo.radiograph.decoders import (  # noqa: PLC0415 - only these need it
        TruncatedError,
        decode_codestream,
    )

    try:
        values = decode_codestream(data, head)
    except TruncatedError:
        raise InputError(
            "image-truncated",
            f"{name} is a truncated JPEG 2000 file: its data end before its last row.",
        ) from None
    return Samples2000(np.asarray(values), 2**head.bits - 1)
