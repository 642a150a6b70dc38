"""The greyscale pipeline of DICOM: stored values become the picture as it is meant to be seen."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.radiograph.notes import Note


class Rescale(NamedTuple):
    """A linear modality transformation (PS3.3 C.11.1): value = slope * stored + intercept."""

    slope: float
    intercept: float


class Lut(NamedTuple):
    """A lookup table (PS3.3 C.11.1.1 and C.11.2.1.1).

    Attributes:
        first: the input that the first entry belongs to; below it the first entry holds, beyond
            the table the last.
        bits: bits of an entry; the output range is 0 to 2 ** bits - 1.
        entries: unsigned [n].
    """

    first: int
    bits: int
    entries: NDArray[np.uint16]

    @property
    def top(self) -> int:
        """The largest value that an entry can have."""
        return int(2**self.bits - 1)


class Window(NamedTuple):
    """A VOI window (PS3.3 C.11.2.1.2 and C.11.2.1.3).

    Attributes:
        center: in units after the modality transformation.
        width: at least 1 for LINEAR, above 0 for the others.
        function: LINEAR, LINEAR_EXACT or SIGMOID.
    """

    center: float
    width: float
    function: str = "LINEAR"


class GreyScale(NamedTuple):
    """How the stored values of a greyscale picture are meant to be displayed.

    Attributes:
        bits: bits stored.
        signed: whether the stored values are two's complement.
        modality: stored values -> physical ones; None for none.
        voi: physical values -> displayed ones; None when the file states no range.
        padding: lowest and highest stored value that mark pixels outside the picture.
        inverted: whether the lowest displayed value is white.
    """

    bits: int
    signed: bool = False
    modality: Rescale | Lut | None = None
    voi: Window | Lut | None = None
    padding: tuple[int, int] | None = None
    inverted: bool = False


def display(stored: NDArray[Any], scale: GreyScale) -> tuple[NDArray[np.float32], tuple[Note, ...]]:
    """Returns the displayed picture, and notes on how it was made.

    In the order of PS3.4 N.2: modality, VOI, then inversion. Without a VOI table or window,
    values of 8 bits or fewer keep their full range; deeper ones have no stated display range, so
    the lowest and highest value of the picture become black and white.

    A film stored as MONOCHROME1 gives the same bits as one stored as MONOCHROME2 with each value
    taken from the largest one, so that the two are found to be copies. Therefore the distance to
    the other end is measured, where `1 - grey` would round once more.

    Args:
        stored: integers [height, width].
        scale: how they are meant to be displayed.

    Returns:
        float32 [height, width] in [0, 1], 0 black.
    """
    values, low, high = _physical(stored, scale)
    notes: tuple[Note, ...] = ()
    if isinstance(scale.voi, Lut):
        entries = look_up(np.rint(values), scale.voi)
        grey = (scale.voi.top - entries if scale.inverted else entries) / scale.voi.top
    elif scale.voi is not None:
        grey = windowed(values, scale.voi, inverted=scale.inverted)
    else:
        bits = scale.modality.bits if isinstance(scale.modality, Lut) else scale.bits
        if bits > 8:
            low, high = _own_range(values, _inside(stored, scale.padding))
            notes = (Note("own-range", "No window is stated: the picture's own range was used."),)
        grey = np.zeros_like(values) if high <= low else _between(values, low, high, scale.inverted)
    return np.clip(grey, 0, 1).astype(np.float32), notes


def look_up(values: NDArray[Any], lut: Lut) -> NDArray[np.float64]:
    """Returns the entries of whole numbers; inputs outside the table take its ends."""
    index = np.clip(values.astype(np.int64) - lut.first, 0, len(lut.entries) - 1)
    return lut.entries.astype(np.float64)[index]


def windowed(
    values: NDArray[np.float64], window: Window, *, inverted: bool = False
) -> NDArray[np.float64]:
    """Returns values through a window, in [0, 1], where 0 is the low end, or the high one.

    LINEAR is equation C.11-1 of PS3.3 C.11.2.1.2.1, SIGMOID and LINEAR_EXACT are C.11.2.1.3.1 and
    C.11.2.1.3.2, with 0 and 1 for the ends of the output range.
    """
    center, width, function = window
    if function == "SIGMOID":
        # exp overflows at 710; 1 / (1 + exp(80)) is already 0 in float32's [0, 1].
        slope = 4 if inverted else -4
        sigmoid: NDArray[np.float64] = 1 / (
            1 + np.exp(np.clip(slope * (values - center) / width, -80, 80))
        )
        return sigmoid
    if function == "LINEAR":
        center, width = center - 0.5, width - 1
    low, high = center - width / 2, center + width / 2
    # A width of 1, or one too small for the precision of its centre.
    if low == high:
        step: NDArray[np.float64] = ((values > center) != inverted).astype(np.float64)
        return step
    line: NDArray[np.float64] = np.clip(_between(values, low, high, inverted), 0, 1)
    return line


def _between(
    values: NDArray[np.float64],
    low: float,
    high: float,
    inverted: bool,  # noqa: FBT001 - the third thing that describes a range
) -> NDArray[np.float64]:
    """Returns how far values are from `low` to `high`, or back from `high`, as a fraction."""
    share: NDArray[np.float64] = (high - values if inverted else values - low) / (high - low)
    return share


def _physical(stored: NDArray[Any], scale: GreyScale) -> tuple[NDArray[np.float64], float, float]:
    """Returns values after the modality transformation, and the range that they can have."""
    modality = scale.modality
    if isinstance(modality, Lut):
        return look_up(stored, modality), 0, modality.top
    low = -(2.0 ** (scale.bits - 1)) if scale.signed else 0.0
    high = low + 2.0**scale.bits - 1
    values = stored.astype(np.float64)
    if modality is None:
        return values, low, high
    ends = [modality.slope * end + modality.intercept for end in (low, high)]
    return values * modality.slope + modality.intercept, min(ends), max(ends)


def _inside(stored: NDArray[Any], padding: tuple[int, int] | None) -> NDArray[np.bool_]:
    """Returns where the picture is, without the padding of PS3.3 C.7.5.1.1.2."""
    if padding is None:
        return np.ones(stored.shape, np.bool_)
    inside: NDArray[np.bool_] = (stored < padding[0]) | (stored > padding[1])
    return inside


def _own_range(values: NDArray[np.float64], inside: NDArray[np.bool_]) -> tuple[float, float]:
    if not inside.any():
        return 0, 0
    return float(values[inside].min()), float(values[inside].max())
