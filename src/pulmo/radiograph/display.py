"""The greyscale pipeline of DICOM: stored values become the image as it is meant to be seen."""

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.radiograph.notes import Note

_HOT: Final = 2
"""How much wider than without the extreme pixels a range must be for these to be left out."""


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
    """How the stored values of a greyscale image are meant to be displayed.

    Attributes:
        bits: bits stored.
        signed: whether the stored values are two's complement.
        modality: stored values -> physical ones; None for none.
        voi: physical values -> displayed ones; None when the file states no range.
        padding: lowest and highest stored value that mark pixels outside the image.
        inverted: whether the lowest displayed value is white.
    """

    bits: int
    signed: bool = False
    modality: Rescale | Lut | None = None
    voi: Window | Lut | None = None
    padding: tuple[int, int] | None = None
    inverted: bool = False


def display(
    stored: NDArray[Any], scale: GreyScale, inside: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.float32], tuple[Note, ...]]:
    """Returns the displayed image, and notes on how it was made.

    In the order of PS3.4 N.2: modality, VOI, then inversion. Without a VOI table or window,
    values of 8 bits or fewer keep their full range; deeper ones have no stated display range, so
    the lowest and highest value of the image become black and white, or those of all but a
    thousandth of the pixels at either end, where these few would set the range alone. A VOI that
    leaves nothing to see counts as none. Padding and what lies outside the shutter become black.

    An image stored as MONOCHROME1 gives the same bits as one stored as MONOCHROME2 with each value
    taken from the largest one, so that the two are found to be copies. Therefore the distance to
    the other end is measured, where `1 - grey` would round once more.

    Args:
        stored: integers [height, width].
        scale: how they are meant to be displayed.
        inside: bool [height, width], where the shutter is open; None if there is none.

    Returns:
        float32 [height, width] in [0, 1], 0 black.
    """
    shown, notes = _uncovered(stored, scale.padding, inside)
    values = _physical(stored, scale)
    grey = _by_voi(values, scale)
    if grey is not None and _is_even(grey, shown) and not _is_even(values, shown):
        grey = None
        text = "The stated window or VOI LUT would hide the whole image and was ignored."
        notes.append(Note("window-unusable", text))
    if grey is None:
        (low, high), more = _range(values, shown, scale)
        notes += more
        even = high <= low
        grey = np.zeros_like(values) if even else _between(values, low, high, scale.inverted)
    pixels = np.clip(grey, 0, 1).astype(np.float32)
    if shown is not None:
        pixels[~shown] = 0
    return pixels, tuple(notes)


def own_range(
    stored: NDArray[Any], scale: GreyScale, inside: NDArray[np.bool_] | None = None
) -> tuple[float, float]:
    """Returns the physical values that become black and white where no VOI can be used.

    The arguments are those of `display`; where the image is inverted, the first becomes white.
    """
    shown, _ = _uncovered(stored, scale.padding, inside)
    return _range(_physical(stored, scale), shown, scale)[0]


def shutter_note(inside: NDArray[np.bool_]) -> Note:
    """Returns the note on a shutter that is open where `inside` is true."""
    share = 1 - float(inside.mean())
    return Note("shutter", f"{share:.1%} of the image lies outside the shutter and became black.")


def physical_range(scale: GreyScale) -> tuple[float, float]:
    """Returns the lowest and the highest value that the modality transformation can give."""
    if isinstance(scale.modality, Lut):
        return 0, scale.modality.top
    low = -(2.0 ** (scale.bits - 1)) if scale.signed else 0.0
    high = low + 2.0**scale.bits - 1
    if scale.modality is None:
        return low, high
    ends = [scale.modality.slope * end + scale.modality.intercept for end in (low, high)]
    return min(ends), max(ends)


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


def _physical(stored: NDArray[Any], scale: GreyScale) -> NDArray[np.float64]:
    """Returns values after the modality transformation."""
    if isinstance(scale.modality, Lut):
        return look_up(stored, scale.modality)
    values = stored.astype(np.float64)
    if scale.modality is None:
        return values
    return values * scale.modality.slope + scale.modality.intercept


def _by_voi(values: NDArray[np.float64], scale: GreyScale) -> NDArray[np.float64] | None:
    """Returns values through the VOI table or window as grey, before it is clipped; or None."""
    if isinstance(scale.voi, Lut):
        entries = look_up(np.rint(values), scale.voi)
        grey: NDArray[np.float64] = scale.voi.top - entries if scale.inverted else entries
        return grey / scale.voi.top
    return None if scale.voi is None else windowed(values, scale.voi, inverted=scale.inverted)


def _uncovered(
    stored: NDArray[Any], padding: tuple[int, int] | None, inside: NDArray[np.bool_] | None
) -> tuple[NDArray[np.bool_] | None, list[Note]]:
    """Returns where neither shutter nor padding (PS3.3 C.7.5.1.1.2) is; None where all is open."""
    notes: list[Note] = []
    shown = inside
    if inside is not None:
        notes.append(shutter_note(inside))
    if padding is not None:
        outside = (stored >= padding[0]) & (stored <= padding[1])
        if outside.any():
            notes.append(
                Note("padding", f"{outside.mean():.1%} of the image is padding and became black.")
            )
            shown = ~outside if shown is None else shown & ~outside
    return shown, notes


def _is_even(values: NDArray[np.float64], shown: NDArray[np.bool_] | None) -> bool:
    """Tells whether all values that are shown are equal, also if there are none."""
    found = values if shown is None else values[shown]
    return not found.size or bool(found.min() == found.max())


def _range(
    values: NDArray[np.float64], shown: NDArray[np.bool_] | None, scale: GreyScale
) -> tuple[tuple[float, float], list[Note]]:
    """Returns the values that become black and white where no VOI says it, and notes on that."""
    bits = scale.modality.bits if isinstance(scale.modality, Lut) else scale.bits
    if bits <= 8:
        return physical_range(scale), []
    found = (values if shown is None else values[shown]).ravel()
    if not found.size:
        return (0, 0), []
    notes = [Note("own-range", "No usable window is stated: the image's own range was used.")]
    low, high = float(found.min()), float(found.max())
    few = found.size // 1000
    # As many from either end, so that an inverted image has the inverted range.
    inner = np.partition(found, (few, found.size - 1 - few))[[few, found.size - 1 - few]]
    if inner[0] < inner[1] and high - low > _HOT * (inner[1] - inner[0]):
        low, high = float(inner[0]), float(inner[1])
        text = "A few extreme pixels, fewer than one in five hundred, were left out of the range."
        notes.append(Note("hot-pixel", text))
    return (low, high), notes
