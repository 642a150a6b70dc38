"""Whether a DICOM data set is one image that is read."""

from typing import Final

from pydicom.uid import UID

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.dicom_elements import Elements, element_name
from pulmo.radiograph.dicom_syntax import compression_of, decodes, syntax_name
from pulmo.radiograph.limits import Limits

GREY: Final = ("MONOCHROME1", "MONOCHROME2")
COLOUR: Final = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
PALETTE: Final = "PALETTE COLOR"
_READ: Final = (*GREY, PALETTE, *COLOUR)
_RETIRED: Final = ("HSV", "ARGB", "CMYK", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_NUMBERS: Final = (
    "SamplesPerPixel",
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "PixelRepresentation",
)
_OTHER_PIXELS: Final = ("FloatPixelData", "DoubleFloatPixelData")


def check_scope(elements: Elements, name: str, limits: Limits) -> str:
    """Returns the photometric interpretation of a data set that is one image that is read.

    The numbers that describe its pixels are then whole numbers that fit each other.

    Raises:
        InputError: it should be an image but lacks what one needs, or contradicts itself.
        RefusedError: it is something else, or an image that is not read.
    """
    dataset = elements.dataset
    if "DirectoryRecordSequence" in dataset:
        raise RefusedError(
            "dicom-directory",
            f"{name} is a DICOMDIR, a list of other files. Name these files instead.",
        )
    if "PixelData" not in dataset:
        _refuse_without_pixels(elements, name)
    photometric = elements.text("PhotometricInterpretation").upper()
    numbers = {keyword: _whole_number(elements, keyword, name) for keyword in _NUMBERS}
    missing = [keyword for keyword, number in numbers.items() if number is None]
    missing += [] if photometric else ["PhotometricInterpretation"]
    if missing:
        words = ", ".join(map(element_name, missing))
        raise InputError(
            "dicom-elements-missing", f"{name} is a DICOM image whose header lacks {words}."
        )
    frames = elements.numbers("NumberOfFrames")
    if frames and frames[0] > 1:
        raise RefusedError(
            "dicom-several-frames", f"{name} contains several frames. One image was expected."
        )
    if frames and frames != [1]:
        elements.unusable("NumberOfFrames", "is not 1; the file was read as one image")
    if "NumberOfFrames" in dataset:
        elements.replace("NumberOfFrames", 1)
    limits.check_shape(int(dataset["Rows"].value), int(dataset["Columns"].value), name)
    if photometric not in _READ:
        known = f" {photometric}" if photometric in _RETIRED else ""
        raise RefusedError(
            "dicom-photometric-unsupported",
            f"{name} has a Photometric Interpretation{known} that is not read; "
            f"{', '.join(_READ)} are.",
        )
    dataset.PhotometricInterpretation = photometric
    _check_pixels(elements, photometric, name)
    if not decodes(dataset):
        raise RefusedError(
            "dicom-compression-unsupported",
            f"{name} is compressed in a way that is not read: {syntax_name(dataset)}.",
        )
    return photometric


def _refuse_without_pixels(elements: Elements, name: str) -> None:
    """Refuses a data set without Pixel Data, with what is known of it.

    Raises:
        InputError: it should be an image.
        RefusedError: it is none, or its pixels are of a kind that is not read.
    """
    if any(keyword in elements.dataset for keyword in _OTHER_PIXELS):
        raise RefusedError(
            "dicom-float-pixels",
            f"{name} stores its pixels as floating-point numbers, which are not read.",
        )
    kind = UID(elements.text("SOPClassUID"))
    if "Rows" in elements.dataset or "Image Storage" in kind.name:
        raise InputError(
            "dicom-pixel-data-missing",
            f"{name} is a DICOM image without Pixel Data; it may be truncated.",
        )
    known = kind.name if kind.name != kind else "of an unknown kind"
    raise RefusedError(
        "dicom-without-image", f"{name} is a DICOM file without an image ({known or 'no kind'})."
    )


def _whole_number(elements: Elements, keyword: str, name: str) -> int | None:
    """Returns a number that the image needs; None where the header has none.

    Raises:
        InputError: the header has something else there.
    """
    value: object = ""
    try:
        value = elements.dataset.get(keyword)
        if value in (None, ""):
            return None
        number = int(str(value))
        if type(value) is not int:
            # In another value representation than the standard's.
            elements.replace(keyword, number)
        return number  # noqa: TRY300 - what is above may raise
    except Exception:  # noqa: BLE001 - pydicom raises anything on a value that departs
        words = element_name(keyword)
        raise InputError(
            "dicom-element-not-integer",
            f"{name} has a value of {words} that is not a whole number.",
        ) from None


def _check_pixels(elements: Elements, photometric: str, name: str) -> None:
    """Checks that what the header says of the pixels fits together.

    Raises:
        InputError: it does not.
        RefusedError: the samples are packed in a way that is not read.
    """
    dataset = elements.dataset
    samples, allocated, stored = (
        int(dataset[keyword].value)
        for keyword in ("SamplesPerPixel", "BitsAllocated", "BitsStored")
    )
    if samples != (3 if photometric in COLOUR else 1):
        raise InputError(
            "dicom-samples-contradict",
            f"{name} contradicts itself: its Photometric Interpretation is {photometric} and its "
            f"Samples per Pixel {samples}.",
        )
    if allocated != 1 and allocated % 8:
        raise RefusedError(
            "dicom-bits-unsupported",
            f"{name} has {allocated} Bits Allocated; 1 and whole bytes are read.",
        )
    if not 1 <= stored <= allocated:
        raise InputError(
            "dicom-bits-contradict",
            f"{name} contradicts itself: its Bits Stored are {stored} and its Bits Allocated "
            f"{allocated}.",
        )
    _check_planes(elements, photometric, name)
    high = elements.numbers("HighBit")
    if high and stored - 1 <= high[0] <= allocated - 1:
        return
    if high:
        text = f"High Bit is {high[0]:g} where {stored} bits are stored; it was ignored."
        elements.note("contradiction", text)
    elements.replace("HighBit", stored - 1)


def _check_planes(elements: Elements, photometric: str, name: str) -> None:
    """Checks Planar Configuration, which only uncompressed colours need.

    Raises:
        InputError: it is missing, or cannot be.
    """
    if photometric not in COLOUR or compression_of(elements.dataset):
        elements.dataset.pop("PlanarConfiguration", None)
        return
    planes = elements.numbers("PlanarConfiguration")
    if planes not in ([0], [1]):
        raise InputError(
            "dicom-planar-missing",
            f"{name} is an uncompressed image in colours without a usable Planar Configuration.",
        )
    if planes == [1] and photometric == "YBR_FULL_422":
        raise InputError(
            "dicom-planar-contradicts",
            f"{name} contradicts itself: its Photometric Interpretation is YBR_FULL_422 and its "
            "Planar Configuration 1.",
        )
