"""How a DICOM data set says that its greyscale image is meant to be displayed."""

import math
import sys
from typing import Final, NamedTuple

from pydicom.dataset import Dataset

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.dicom_elements import Elements, element_name
from pulmo.radiograph.dicom_tables import MODALITY, TableReader
from pulmo.radiograph.dicom_tags import frame_item
from pulmo.radiograph.display import GreyScale, Lut, Rescale, Window, physical_range

_FUNCTIONS: Final = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_SHAPES: Final = {"IDENTITY": "MONOCHROME2", "INVERSE": "MONOCHROME1"}


class _Windows(NamedTuple):
    """The windows that a data set states: those that can be used, and how many there are."""

    usable: list[Window]
    stated: int


def grey_scale_of(elements: Elements, name: str) -> GreyScale:
    """Returns how a greyscale image is meant to be displayed; what was assumed is noted.

    What the functional groups say of the one frame goes before the data set itself.

    Args:
        elements: of the data set; Bits Stored and Photometric Interpretation are usable.
        name: what messages call the file.

    Raises:
        InputError: a lookup table or the rescaling is damaged.
        RefusedError: the window's function is not in the standard, or the photometric
            interpretation and the presentation LUT shape contradict each other.
    """
    dataset = elements.dataset
    tables = TableReader.of(elements, name)
    rescaled = frame_item(elements, "PixelValueTransformationSequence") or elements
    scale = GreyScale(
        bits=int(dataset["BitsStored"].value),
        signed=tables.signed,
        modality=_modality_of(rescaled, tables),
        padding=_padding_of(elements, signed=tables.signed),
        inverted=_is_inverted(elements, name),
    )
    _note_sign(elements, scale)
    shown = frame_item(elements, "FrameVOILUTSequence") or elements
    return scale._replace(voi=_voi_of(shown, tables, scale))


def _is_inverted(elements: Elements, name: str) -> bool:
    """Tells whether the lowest value is white.

    Raises:
        RefusedError: the header says both. A MONOCHROME1 image has the shape INVERSE, a
            MONOCHROME2 image IDENTITY (PS3.3 C.8.11.3.1.2); some programs show the one, some the
            other, and a wrong guess changes the result.
    """
    photometric = elements.text("PhotometricInterpretation")
    shape = elements.text("PresentationLUTShape").upper()
    if shape and shape not in _SHAPES:
        elements.unusable("PresentationLUTShape", "is not one that is known")
    elif shape and _SHAPES[shape] != photometric:
        raise RefusedError(
            "dicom-polarity-contradicts",
            f"{name} contradicts itself: its Photometric Interpretation is {photometric} and its "
            f"Presentation LUT Shape {shape}, so it is unknown which grey is black. Correct "
            "the wrong one.",
        )
    if elements.items("PresentationLUTSequence"):
        elements.note(
            "contradiction",
            "A Presentation LUT Sequence is stated, which does not belong to an image; it was not "
            "applied.",
        )
    return photometric == "MONOCHROME1"


def _note_sign(elements: Elements, scale: GreyScale) -> None:
    """Notes where Pixel Intensity Relationship Sign says that dense parts are dark.

    It is -1 where a higher stored value means less X-ray intensity (PS3.3 C.8.11.3.1.2).
    """
    sign = [*elements.numbers("PixelIntensityRelationshipSign"), 0.0][0]
    rises = not isinstance(scale.modality, Rescale) or scale.modality.slope > 0
    if sign in {-1, 1} and (sign > 0) == (rises != scale.inverted):
        elements.note(
            "contradiction",
            "Pixel Intensity Relationship Sign says that the image shows dense parts dark; it was "
            "displayed by its Photometric Interpretation.",
        )


def _modality_of(elements: Elements, tables: TableReader) -> Rescale | Lut | None:
    """Reads the Modality LUT module (PS3.3 C.11.1); a table goes before the rescaling."""
    table = _first_table(elements, "ModalityLUTSequence")
    if table is not None:
        return tables.lut(table, MODALITY, signed=tables.signed)
    slope, intercept = (
        elements.written_numbers(f"Rescale{part}")[:1] for part in ("Slope", "Intercept")
    )
    for part, number in (("Slope", slope), ("Intercept", intercept)):
        if number == [None] and elements.text(f"Rescale{part}"):
            raise InputError(
                "dicom-rescale-invalid", f"{tables.name} has a Rescale {part} that is not a number."
            )
    if not slope or not intercept or slope[0] is None or intercept[0] is None:
        if any(part and part[0] is not None for part in (slope, intercept)):
            elements.note(
                "value-unusable",
                "Only one of Rescale Slope and Rescale Intercept is stated; it was ignored.",
            )
        return None
    if slope[0] == 0:
        elements.unusable("RescaleSlope", "is 0; the values were not rescaled")
        return None
    if not math.isfinite(abs(slope[0]) * 2.0**32 + abs(intercept[0])):
        raise InputError(
            "dicom-rescale-invalid",
            f"{tables.name} has a Rescale Slope or Intercept that is too large.",
        )
    return Rescale(slope[0], intercept[0])


def _voi_of(elements: Elements, tables: TableReader, scale: GreyScale) -> Window | Lut | None:
    """Reads the VOI LUT module (PS3.3 C.11.2): its first table, else its first usable window."""
    low, high = physical_range(scale)
    table = _first_table(elements, "VOILUTSequence")
    if table is not None:
        if elements.texts("WindowCenter"):
            elements.note("window-first", "A VOI LUT and a window are stated; the LUT was used.")
        return tables.lut(table, "VOI LUT", signed=low < 0, highest=high)
    windows = _windows_of(elements, tables.name)
    if not windows.usable:
        if windows.stated:
            elements.note("window-unusable", "The stated window is not usable and was ignored.")
        return None
    if windows.stated > 1:
        text = f"{windows.stated} windows are stated; the first usable one was used."
        elements.note("window-first", text)
    window = windows.usable[0]
    if not low <= window.center <= high:
        elements.note(
            "contradiction",
            "The centre of the window is outside the values that the header's bits can hold.",
        )
    return window


def _windows_of(elements: Elements, name: str) -> _Windows:
    """Reads Window Center, Window Width and VOI LUT Function (PS3.3 C.11.2.1.2, C.11.2.1.3).

    Raises:
        RefusedError: there is a window of a function that is not in the standard.
    """
    stated = [elements.written_numbers(f"Window{part}") for part in ("Center", "Width")]
    known = [[number for number in numbers if number is not None] for numbers in stated]
    if not any(known):
        return _Windows([], 0)
    function = elements.text("VOILUTFunction").upper() or "LINEAR"
    if function not in _FUNCTIONS:
        raise RefusedError(
            "dicom-voi-function-unknown",
            f"{name} has a VOI LUT Function that is not in the DICOM standard; "
            f"{', '.join(_FUNCTIONS)} are.",
        )
    narrowest = 1 if function == "LINEAR" else sys.float_info.min
    # One of each belong together wherever they are.
    centers, widths = known if all(len(numbers) == 1 for numbers in known) else stated
    usable = [
        Window(center, width, function)
        for center, width in zip(centers, widths, strict=False)
        if center is not None and width is not None and width >= narrowest
    ]
    return _Windows(usable, max(map(len, stated)))


def _first_table(elements: Elements, keyword: str) -> Dataset | None:
    """Returns the first item of a sequence that holds a lookup table; notes the others."""
    items = elements.items(keyword)
    filled = [item for item in items if "LUTDescriptor" in item or "LUTData" in item]
    kind = element_name(keyword)
    if len(filled) < len(items):
        elements.note("value-unusable", f"The {kind} has an empty item, which was ignored.")
    if len(filled) > 1:
        elements.note("window-first", f"The first of {len(filled)} tables of the {kind} was used.")
    return filled[0] if filled else None


def _padding_of(elements: Elements, *, signed: bool) -> tuple[int, int] | None:
    """Reads the padding value and its range limit (PS3.3 C.7.5.1.1.2).

    Their unsigned and signed spellings in 16 bits are mixed up in files.
    """
    bits = int(elements.dataset["BitsStored"].value)
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    ends = []
    for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit"):
        for number in elements.numbers(keyword)[:1]:
            end = int(number)
            end += 2**16 * ((not signed and end < 0) - (signed and end >= 2**15))
            if not low <= end <= high:
                elements.unusable(keyword, "is not a value that a pixel can have; it was ignored")
                return None
            ends.append(end)
    return (min(ends), max(ends)) if elements.numbers("PixelPaddingValue") else None
