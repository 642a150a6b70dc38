"""The source of the objects: what of a DICOM image they may repeat, and nothing else of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, NamedTuple, cast
from uuid import NAMESPACE_OID, uuid5

from pydicom.charset import python_encoding
from pydicom.datadict import dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    ComputedRadiographyImageStorage,
    CTImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    EnhancedCTImageStorage,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSNearLossless,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.files import sha256
from pulmo.radiograph.content import format_of
from pulmo.radiograph.dicom import Header, header_of
from pulmo.radiograph.dicom_elements import Elements
from pulmo.radiograph.dicom_pixels import stored_values
from pulmo.radiograph.dicom_shutter import shutter_of
from pulmo.radiograph.display import GreyScale, Window, own_range
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.guard import damage_of, quiet_decoders
from pulmo.radiograph.limits import LIMITS, Limits

KEPT: Final = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex",
    "StudyInstanceUID", "StudyID", "StudyDate", "StudyTime", "AccessionNumber",
    "ReferringPhysicianName",
)  # fmt: skip
"""Attributes of patient and study that the objects repeat as they are: of those of type 1 and 2 in
the Patient and General Study modules (PS3.3 C.7.1.1, C.7.2.1), and who issued the Patient ID."""

_OPTIONAL: Final = ("IssuerOfPatientID",)

_UIDS: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")

_CLASSES: Final = (
    ComputedRadiographyImageStorage,
    DigitalXRayImageStorageForPresentation,
    DigitalXRayImageStorageForProcessing,
    SecondaryCaptureImageStorage,
    MultiFrameGrayscaleByteSecondaryCaptureImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    MultiFrameTrueColorSecondaryCaptureImageStorage,
    CTImageStorage,
    EnhancedCTImageStorage,
)
"""Classes of images that are answered."""

_LOSSY: Final = (JPEGBaseline8Bit, JPEGExtended12Bit, JPEGLSNearLossless)

_ENDS: Final = frozenset("LRAPHF")
_PROJECTIONS: Final = ("CR", "DX", "RG", "RF")


class Pixels(NamedTuple):
    """The stored image.

    Attributes:
        shape: Rows and Columns.
        samples: Samples per Pixel.
        grey: how a greyscale image is displayed; None for one in colours or of a palette.
        lossy: whether it is or was compressed with loss.
    """

    shape: tuple[int, int]
    samples: int
    grey: GreyScale | None
    lossy: bool


@dataclass(frozen=True, eq=False)
class Source:
    """A DICOM image that objects can be made of.

    Attributes:
        reference: a data set that refers to it: its identifiers, its size, and empty attributes of
            patient and study. highdicom copies what it finds, so nothing else is there.
        identity: the elements of `KEPT`, as they are.
        facts: what the header says of the image.
        pixels: the stored image.
        sha256: of the file.
        own_window: decodes it, and returns the window of its own range, by which the reader
            displays it where no VOI can be used.
    """

    reference: Dataset = field(repr=False)
    identity: tuple[DataElement, ...] = field(repr=False)
    facts: Facts = field(repr=False)
    pixels: Pixels
    sha256: str
    own_window: Callable[[], Window] = field(repr=False)

    def identify(self, made: Dataset) -> None:
        """Gives an object the patient and the study of the image, in its character set."""
        for element in self.identity:
            made.add(element)


def derived_uid(*parts: str) -> UID:
    """Returns the identifier that follows from texts: the same each time.

    It is 2.25 and a UUID of a name (PS3.5 B.2; RFC 9562, version 5).
    """
    return UID(f"2.25.{uuid5(NAMESPACE_OID, '|'.join(('pulmo', *parts))).int}")


def read_source(data: bytes, name: str, limits: Limits = LIMITS) -> Source:
    """Reads what objects need of a DICOM image; `name` is what messages call it.

    Raises:
        InputError: it is not DICOM, or damaged.
        RefusedError: it is not one image that is read, or lacks what every DICOM image has.
    """
    if format_of(data) != "DICOM":
        raise InputError(
            "dicom-expected", f"{name} is not a DICOM file: its content is of another kind."
        )
    limits.check_bytes(len(data), name)
    with quiet_decoders, damage_of(name, "DICOM"):
        header = header_of(data, name, limits)
        elements = header.elements
        _check_identifiers(elements, name)
        shape = int(header.dataset["Rows"].value), int(header.dataset["Columns"].value)
        syntax = header.dataset.file_meta.TransferSyntaxUID
        lossy = elements.text("LossyImageCompression") == "01" or syntax in _LOSSY
        samples = int(header.dataset["SamplesPerPixel"].value)
        pixels = Pixels(shape, samples, header.scale, lossy)
        return Source(
            reference=_reference(elements, pixels),
            identity=_identity(header.dataset),
            facts=header.facts,
            pixels=pixels,
            sha256=sha256(data),
            own_window=partial(_own_window, header, name),
        )


def _check_identifiers(elements: Elements, name: str) -> None:
    """Refuses an image without identifiers, or of a class that is not answered.

    Raises:
        RefusedError: it is such an image.
    """
    for keyword in _UIDS:
        if not UID(elements.text(keyword)).is_valid:
            words = {"StudyInstanceUID": "study", "SeriesInstanceUID": "series"}
            raise RefusedError(
                "dicom-identifier-missing",
                f"{name} has no valid identifier of its {words.get(keyword, 'own')} ({keyword}), "
                "so no object can refer to it.",
            )
    if elements.text("SOPClassUID") not in _CLASSES:
        raise RefusedError(
            "dicom-class-unsupported",
            f"{name} is of a DICOM class for which no result objects are made; computed and "
            "digital X-ray, CT and secondary capture images are of one.",
        )


def _own_window(header: Header, name: str) -> Window:
    """Returns the LINEAR window (PS3.3 C.11.2.1.2.1) of a greyscale image's own range."""
    stored, _ = stored_values(header.dataset, name)
    inside = shutter_of(header.elements, stored.shape)
    low, high = own_range(stored, cast("GreyScale", header.scale), inside)
    return Window((low + high + 1) / 2, high - low + 1)


def _reference(elements: Elements, pixels: Pixels) -> Dataset:
    """Returns the data set that refers to the image."""
    made = Dataset()
    for keyword in (word for word in KEPT if word not in (*_UIDS, *_OPTIONAL)):
        setattr(made, keyword, None)
    for keyword in ("SOPClassUID", *_UIDS):
        setattr(made, keyword, UID(elements.text(keyword)))
    made.Rows, made.Columns = pixels.shape
    made.SamplesPerPixel = pixels.samples
    # highdicom describes a projection by both of these attributes, and another image by neither.
    directions = elements.texts("PatientOrientation")
    spacing = elements.numbers("ImagerPixelSpacing")
    modality = elements.text("Modality").upper()
    described = (
        modality in _PROJECTIONS
        and len(directions) == len(spacing) == 2
        and all(one and _ENDS.issuperset(one) and len(one) <= 3 for one in directions)
        and min(spacing) > 0
    )
    made.Modality = modality if described else "OT"
    if described:
        made.PatientOrientation, made.ImagerPixelSpacing = directions, spacing
    return made


def _identity(dataset: Dataset) -> tuple[DataElement, ...]:
    """Returns the elements that objects repeat, and the character set that they are written in.

    An element that has another value representation than the standard's may hold anything.
    """
    found = [dataset[keyword] for keyword in KEPT if keyword in dataset]
    kept = [element for element in found if dictionary_VR(element.tag) == element.VR]
    written = dataset.get("SpecificCharacterSet") or []
    names = [written] if isinstance(written, str) else list(written)
    if names and all(name in python_encoding for name in names):
        kept.append(dataset["SpecificCharacterSet"])
    return tuple(kept)
