"""How a DICOM data set says that its greyscale picture is meant to be displayed."""

import math
import sys
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.dicom_tags import numbers_of, text_of
from pulmo.radiograph.display import GreyScale, Lut, Rescale, Window
from pulmo.radiograph.notes import Note

_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")


class _Reading(NamedTuple):
    """How a data set's numbers are to be read.

    Attributes:
        name: what messages call the file.
        signed: whether stored values are two's complement.
        words: NumPy's type of 16-bit words in the file's order.
    """

    name: str
    signed: bool
    words: str


def grey_scale_of(dataset: Dataset, name: str) -> tuple[GreyScale, tuple[Note, ...]]:
    """Returns how a greyscale picture is meant to be displayed, and notes on that.

    Raises:
        InputError: a lookup table or the rescaling is damaged.
        RefusedError: the window's function is not in the standard.
    """
    signed = dataset.get("PixelRepresentation") == 1
    big = dataset.file_meta.TransferSyntaxUID == ExplicitVRBigEndian
    reading = _Reading(name, signed, ">u2" if big else "<u2")
    voi, notes = _voi_of(dataset, reading)
    shape = text_of(dataset, "PresentationLUTShape")
    scale = GreyScale(
        bits=int(dataset["BitsStored"].value),
        signed=signed,
        modality=_modality_of(dataset, reading),
        voi=voi,
        padding=_padding_of(dataset, reading),
        # A MONOCHROME1 film says INVERSE too (PS3.3 C.8.11.3.1.2): one inversion, not two.
        inverted=dataset["PhotometricInterpretation"].value == "MONOCHROME1" or shape == "INVERSE",
    )
    return scale, notes


def _modality_of(dataset: Dataset, reading: _Reading) -> Rescale | Lut | None:
    """Reads the Modality LUT module (PS3.3 C.11.1); a table goes before the rescaling."""
    if dataset.get("ModalityLUTSequence"):
        return _lut_of(dataset["ModalityLUTSequence"].value[0], reading)
    slope, intercept = (numbers_of(dataset, f"Rescale{part}") for part in ("Slope", "Intercept"))
    if not (slope and intercept):
        return None
    if not (math.isfinite(slope[0]) and math.isfinite(intercept[0])):
        raise InputError(f"{reading.name} has a rescale slope or intercept that is not a number.")
    return Rescale(slope[0], intercept[0])


def _voi_of(dataset: Dataset, reading: _Reading) -> tuple[Window | Lut | None, tuple[Note, ...]]:
    """Reads the VOI LUT module (PS3.3 C.11.2): its first table, else its first window."""
    if dataset.get("VOILUTSequence"):
        return _lut_of(dataset["VOILUTSequence"].value[0], reading), ()
    centers = numbers_of(dataset, "WindowCenter")
    widths = numbers_of(dataset, "WindowWidth")
    if not (centers and widths):
        return None, ()
    function = text_of(dataset, "VOILUTFunction").upper() or "LINEAR"
    if function not in _FUNCTIONS:
        raise RefusedError(
            f"{reading.name} has a window function that is not in the DICOM standard; "
            f"{', '.join(_FUNCTIONS)} are."
        )
    center, width = centers[0], widths[0]
    narrowest = 1 if function == "LINEAR" else sys.float_info.min
    if not (math.isfinite(center) and narrowest <= width < math.inf):
        return None, (
            Note("window-unusable", "The stated window is not a usable one and was ignored."),
        )
    several = len(centers) > 1
    text = f"The first of {len(centers)} stated windows was used."
    notes = (Note("window-first", text),) if several else ()
    return Window(center, width, function), notes


def _lut_of(item: Dataset, reading: _Reading) -> Lut:
    """Reads a lookup table (PS3.3 C.11.1.1 and C.11.2.1.1).

    Raises:
        InputError: its data do not fit its descriptor.
    """
    count, first, bits = (int(number) for number in item["LUTDescriptor"].value)
    # The descriptor's unsigned and signed spellings are mixed up in files.
    count = (count & 0xFFFF) or 2**16
    if reading.signed and first >= 2**15:
        first -= 2**16
    entries = _entries(item["LUTData"].value, reading.words)
    if bits <= 8 and len(entries) < count:
        # Two entries of 8 bits are packed into a number, or not, as the length tells.
        entries = entries.view(np.uint8)
    if not (1 <= bits <= 16 and len(entries) >= count):
        raise InputError(f"{reading.name} has a lookup table that does not fit its descriptor.")
    return Lut(first, bits, entries[:count].astype(np.uint16))


def _entries(data: Any, words: str) -> NDArray[Any]:  # noqa: ANN401 - numbers, or bytes of them
    """Returns a table's entries as little-endian 16-bit numbers."""
    if isinstance(data, bytes):
        return np.frombuffer(data, words).astype("<u2")
    return np.atleast_1d(np.asarray(data, np.int64)).astype("<u2")


def _padding_of(dataset: Dataset, reading: _Reading) -> tuple[int, int] | None:
    """Reads the padding value and its range limit (PS3.3 C.7.5.1.1.2)."""
    value = dataset.get("PixelPaddingValue")
    if not isinstance(value, int):
        return None
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = [value, limit if isinstance(limit, int) else value]
    if reading.signed:
        ends = [end - 2**16 if end >= 2**15 else end for end in ends]
    return min(ends), max(ends)
