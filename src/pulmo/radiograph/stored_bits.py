"""The bits of a sample that belong to the image, whatever decoded the sample."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.notes import Note

_MASKED: Final = Note("bits-masked", "Bits that do not belong to the image were removed.")
_CUT: Final = Note(
    "bits-differ",
    "Some values are a little beyond the largest that the bits stored can hold; they were cut.",
)
_UNSIGNED: Final = Note(
    "contradiction",
    "Pixel Representation says that values are signed, but they jump as unsigned ones would.",
)
_LOW: Final = Note(
    "contradiction",
    "High Bit says that values begin above the lowest bit, but all would fit without that.",
)
_FALL: Final = 0.15
"""The mean fall, as a part of the range, from which upper bits are the values' own.

It is 1 for a smooth image and 0.2 where a detailed one lacks five of its twelve bits; below 0.1 for
overlays, noise and burned-in text.
"""
_SLACK: Final = 32
"""Which part of the range values may be beyond it."""


class SampleBits(NamedTuple):
    """Which bits of a sample hold the image (PS3.5 8.1.1).

    Attributes:
        stored: how many they are.
        above: how many bits lie at and below the highest of them; in older files it is more than
            `stored`, and the values begin above the lowest bit.
        signed: whether they are two's complement.
    """

    stored: int
    above: int
    signed: bool

    @classmethod
    def of(cls, dataset: Dataset, name: str) -> "SampleBits":
        """Returns what a data set says.

        Raises:
            InputError: it says nothing, or what cannot be.
        """
        stored = int(dataset["BitsStored"].value)
        high = dataset.get("HighBit")
        above = stored if high is None else int(high) + 1
        signed = dataset.get("PixelRepresentation")
        if signed not in {0, 1}:
            raise InputError(
                "dicom-sign-unknown",
                f"{name} is a DICOM image without a usable Pixel Representation, which says "
                "whether its values are signed.",
            )
        if not 1 <= stored <= above <= 32:
            raise InputError(
                "dicom-bits-contradict",
                f"{name} states that {stored} bits are stored and that bit {above - 1} is the "
                "highest, which contradicts itself.",
            )
        return cls(stored, above, signed == 1)


def image_bits(
    decoded: NDArray[Any], coded: int, bits: SampleBits, name: str
) -> tuple[NDArray[Any], tuple[Note, ...]]:
    """Returns the values of an image, without the bits of their samples that are not its own.

    Overlays of older files, and what was left in memory, lie in those bits (PS3.5 8.1.1).

    Args:
        decoded: integers of any shape, as a decoder gave them.
        coded: how many bits of a sample the decoder read: the precision of a compressed image, or
            Bits Allocated.
        bits: what the header says.
        name: what a message calls the file.

    Returns:
        integers of the same shape and size, signed if the header says so; and notes.

    Raises:
        RefusedError: the header's number of bits cannot be that of these values.
    """
    samples = decoded.astype(decoded.dtype.newbyteorder("="), copy=False)
    samples = samples.view(f"u{decoded.itemsize}") & _ones(decoded, coded)
    shift = bits.above - bits.stored if coded >= bits.above else 0
    stored = min(bits.stored, coded)
    lower = samples & _ones(samples, shift)
    shifted = samples >> shift if shift else samples
    values = _signed(shifted, stored) if bits.signed else shifted & _ones(samples, stored)
    others = shifted >> stored if stored < 8 * samples.itemsize else np.zeros_like(shifted[:1])
    if bits.signed and others.any():
        # The sign may have been written into the upper bits, as any processor does.
        extended = values.view(samples.dtype) & _ones(samples, coded - shift)
        others = shifted ^ extended
    if others.any():
        whole = _signed(shifted, coded - shift) if bits.signed else shifted
        if _carries(whole, values, bits.stored):
            return _within(whole, bits, name), (_CUT,)
    notes = [_MASKED] if others.any() or lower.any() else []
    if lower.any() and int(samples.max()) < 2**stored:
        notes.append(_LOW)
    if bits.signed and int(values.min()) < 0:
        unsigned = (shifted & _ones(samples, stored)).astype(np.int64)
        notes += [_UNSIGNED] if _carries(unsigned, values, stored) else []
    return values, tuple(notes)


def _within(whole: NDArray[Any], bits: SampleBits, name: str) -> NDArray[Any]:
    """Returns values that need more bits than are stored, cut to those that these can hold.

    Compression with losses puts values a little beyond the largest one.

    Raises:
        RefusedError: they are far beyond.
    """
    low = -(2 ** (bits.stored - 1)) if bits.signed else 0
    high = low + 2**bits.stored - 1
    slack = 2**bits.stored // _SLACK
    if int(whole.min()) < low - slack or int(whole.max()) > high + slack:
        used = max(int(whole.max()).bit_length(), int(~whole.min()).bit_length() * bits.signed)
        raise RefusedError(
            "dicom-bits-exceeded",
            f"{name} states that its values have {bits.stored} bits, but they use "
            f"{used + bits.signed} bits.",
        )
    cut: NDArray[Any] = np.clip(whole, low, high)
    return cut


def _carries(whole: NDArray[Any], values: NDArray[Any], stored: int) -> bool:
    """Tells whether the bits above the values count on where these pass their largest one.

    Where an upper bit is gained from one pixel to the next, the values then fall by nearly their
    whole range. The bits of an overlay or of noise come and go whatever the values do.
    """
    fall, changes = 0.0, 0
    for axis in (0, 1):
        upper = np.sign(np.diff(whole.astype(np.int64) - values, axis=axis))
        fall -= float((upper * np.diff(values.astype(np.int64), axis=axis)).sum())
        changes += int(np.count_nonzero(upper))
    return fall > _FALL * 2.0**stored * changes


def _ones(like: NDArray[Any], count: int) -> Any:  # noqa: ANN401 - a number of the array's type
    """Returns the number whose lowest `count` bits are set, as one of an array's own."""
    return np.array(2 ** min(count, 8 * like.itemsize) - 1).astype(f"u{like.itemsize}")


def _signed(samples: NDArray[Any], count: int) -> NDArray[Any]:
    """Returns the lowest `count` bits of unsigned numbers as two's complement."""
    rest = 8 * samples.itemsize - count
    return (samples << rest).view(f"i{samples.itemsize}") >> rest
