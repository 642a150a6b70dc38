"""The bits of a sample that belong to the image, whatever decoded the sample."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.notes import Note

_MASKED: Final = Note("bits-masked", "Bits that do not belong to the image were removed.")


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
                f"{name} is a DICOM picture without a usable PixelRepresentation, which says "
                "whether its values are signed."
            )
        if not 1 <= stored <= above <= 32:
            raise InputError(
                f"{name} says that {stored} bits are stored and that bit {above - 1} is the "
                "highest, which contradicts itself."
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
        _check_that_they_are_others(shifted, coded - shift, values, bits, name)
    return values, (_MASKED,) if others.any() or lower.any() else ()


def _check_that_they_are_others(
    shifted: NDArray[Any], coded: int, values: NDArray[Any], bits: SampleBits, name: str
) -> None:
    """Checks that the image is smoother without its upper bits.

    Cut off from an image whose values need them, they leave a jump wherever it passes a multiple of
    the largest value. An overlay or noise above the image makes the jumps itself.

    Raises:
        RefusedError: it is not.
    """
    whole = _signed(shifted, coded) if bits.signed else shifted
    if _variation(values) > _variation(whole):
        used = int(shifted.max()).bit_length()
        raise RefusedError(
            f"{name} says that its values have {bits.stored} bits, but they use {used} bits."
        )


def _variation(values: NDArray[Any]) -> float:
    """Returns the sum of the differences of neighbours in a row."""
    return float(np.abs(np.diff(values.astype(np.int64), axis=1)).sum())


def _ones(like: NDArray[Any], count: int) -> Any:  # noqa: ANN401 - a number of the array's type
    """Returns the number whose lowest `count` bits are set, as one of an array's own."""
    return np.array(2 ** min(count, 8 * like.itemsize) - 1).astype(f"u{like.itemsize}")


def _signed(samples: NDArray[Any], count: int) -> NDArray[Any]:
    """Returns the lowest `count` bits of unsigned numbers as two's complement."""
    rest = 8 * samples.itemsize - count
    return (samples << rest).view(f"i{samples.itemsize}") >> rest
