"""An image's grey values as the bytes of a file: PNG of 8 or 16 bits, JPEG, DICOM of 12 bits."""

import io
from typing import Literal, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DigitalXRayImageStorageForPresentation,
    ExplicitVRLittleEndian,
    generate_uid,
)

from pulmo.datasets.phantom.image import Phantom

_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_BILEVEL = (cv2.IMWRITE_PNG_BILEVEL, 1)
_IMAGE_WIDTH = 350
"""In millimetres."""


class Levels(NamedTuple):
    """The stored values of a DICOM image.

    Attributes:
        photometric: `MONOCHROME2` stores black as the lowest value, `MONOCHROME1` as the highest.
        low: lowest stored value.
        high: highest stored value; both lie in 0 to 4095, and the window covers what is between.
    """

    photometric: Literal["MONOCHROME1", "MONOCHROME2"]
    low: int
    high: int


def png(grey: NDArray[np.float32], bits: Literal[8, 16]) -> bytes:
    """Returns a PNG file of grey values float32 [height, width] in [0, 1]."""
    kind = np.uint8 if bits == 8 else np.uint16
    return _encode(".png", np.rint(grey * (2**bits - 1)).astype(kind), _PNG)


def jpeg(grey: NDArray[np.float32], quality: int) -> bytes:
    """Returns a JPEG file of grey values float32 [height, width] in [0, 1].

    Its blocks of 8 x 8 pixels blur what is inside the lungs into the nearest pixels outside.
    """
    eight_bits = np.rint(grey * 255).astype(np.uint8)
    return _encode(".jpg", eight_bits, (cv2.IMWRITE_JPEG_QUALITY, quality))


def mask_png(mask: NDArray[np.bool_]) -> bytes:
    """Returns a PNG file of 1 bit a pixel, white where the mask [height, width] is true."""
    return _encode(".png", mask.astype(np.uint8) * np.uint8(255), _BILEVEL)


def dicom(phantom: Phantom, levels: Levels, identity: str) -> bytes:
    """Returns a digital X-ray image in DICOM, whose window displays the phantom's grey values.

    Who it is of is left empty. The window is a linear one of PS3.3, C.11.2.1.2.1: `low` is the
    last value displayed black and `high` the first displayed white, or the other way round.

    Args:
        phantom: the image.
        levels: what its grey values are stored as.
        identity: what the unique identifiers are derived from.
    """
    image = Dataset()
    image.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(image, keyword, generate_uid(entropy_srcs=["pulmo phantom", identity, keyword]))
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyTime", "StudyID",
        "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber",
        "Manufacturer",
    ):  # fmt: skip
        setattr(image, keyword, None)
    image.SyntheticData = "YES"
    image.ImageType = ["ORIGINAL", "PRIMARY", ""]
    image.Modality = "DX"
    image.PatientSex = phantom.sex
    image.PatientAge = f"{phantom.age:03d}Y"
    image.BodyPartExamined = "CHEST"
    image.ViewPosition = phantom.view
    image.PatientOrientation = ["L", "F"]
    image.ImagerPixelSpacing = [round(_IMAGE_WIDTH / phantom.pixels.shape[1], 4)] * 2
    image.BurnedInAnnotation = "YES"
    image.PresentationIntentType = "FOR PRESENTATION"
    _set_pixels(image, phantom.pixels, levels)
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    image.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _set_pixels(image: Dataset, grey: NDArray[np.float32], levels: Levels) -> None:
    inverse = levels.photometric == "MONOCHROME1"
    shown = 1 - grey if inverse else grey
    stored = np.rint(levels.low + shown * (levels.high - levels.low)).astype("<u2")
    image.Rows, image.Columns = stored.shape
    image.SamplesPerPixel = 1
    image.PhotometricInterpretation = levels.photometric
    image.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 12, 11
    image.PixelRepresentation = 0
    image.PixelIntensityRelationship = "LOG"
    image.PixelIntensityRelationshipSign = 1 if inverse else -1
    image.RescaleIntercept, image.RescaleSlope, image.RescaleType = 0, 1, "US"
    image.WindowCenter = (levels.low + levels.high + 1) / 2
    image.WindowWidth = levels.high - levels.low + 1
    image.LossyImageCompression = "00"
    image.PixelData = stored.tobytes()


def _encode(
    suffix: str, image: NDArray[np.uint8] | NDArray[np.uint16], options: tuple[int, int]
) -> bytes:
    _, data = cv2.imencode(suffix, image, options)
    return data.tobytes()
