"""A film's grey values as the bytes of a file: PNG of 8 or 16 bits, JPEG, DICOM of 12 bits."""

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

from pulmo.datasets.phantom.film import Phantom

_PNG = (cv2.IMWRITE_PNG_COMPRESSION, 1)
_BILEVEL = (cv2.IMWRITE_PNG_BILEVEL, 1)
_FILM_WIDTH = 350
"""In millimetres."""


class Levels(NamedTuple):
    """The stored values of a DICOM film.

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
    """Returns a digital X-ray film in DICOM, whose window displays the phantom's grey values.

    Who it is of is left empty. The window is a linear one of PS3.3, C.11.2.1.2.1: `low` is the
    last value displayed black and `high` the first displayed white, or the other way round.

    Args:
        phantom: the film.
        levels: what its grey values are stored as.
        identity: what the unique identifiers are derived from.
    """
    film = Dataset()
    film.SOPClassUID = DigitalXRayImageStorageForPresentation
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
        setattr(film, keyword, generate_uid(entropy_srcs=["pulmo phantom", identity, keyword]))
    for keyword in (
        "PatientName", "PatientID", "PatientBirthDate", "StudyDate", "StudyTime", "StudyID",
        "AccessionNumber", "ReferringPhysicianName", "SeriesNumber", "InstanceNumber",
        "Manufacturer",
    ):  # fmt: skip
        setattr(film, keyword, None)
    film.SyntheticData = "YES"
    film.ImageType = ["ORIGINAL", "PRIMARY", ""]
    film.Modality = "DX"
    film.PatientSex = phantom.sex
    film.PatientAge = f"{phantom.age:03d}Y"
    film.BodyPartExamined = "CHEST"
    film.ViewPosition = phantom.view
    film.PatientOrientation = ["L", "F"]
    film.ImagerPixelSpacing = [round(_FILM_WIDTH / phantom.pixels.shape[1], 4)] * 2
    film.BurnedInAnnotation = "YES"
    film.PresentationIntentType = "FOR PRESENTATION"
    _set_pixels(film, phantom.pixels, levels)
    film.file_meta = FileMetaDataset()
    film.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    film.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _set_pixels(film: Dataset, grey: NDArray[np.float32], levels: Levels) -> None:
    inverse = levels.photometric == "MONOCHROME1"
    shown = 1 - grey if inverse else grey
    stored = np.rint(levels.low + shown * (levels.high - levels.low)).astype("<u2")
    film.Rows, film.Columns = stored.shape
    film.SamplesPerPixel = 1
    film.PhotometricInterpretation = levels.photometric
    film.PresentationLUTShape = "INVERSE" if inverse else "IDENTITY"
    film.BitsAllocated, film.BitsStored, film.HighBit = 16, 12, 11
    film.PixelRepresentation = 0
    film.PixelIntensityRelationship = "LOG"
    film.PixelIntensityRelationshipSign = 1 if inverse else -1
    film.RescaleIntercept, film.RescaleSlope, film.RescaleType = 0, 1, "US"
    film.WindowCenter = (levels.low + levels.high + 1) / 2
    film.WindowWidth = levels.high - levels.low + 1
    film.LossyImageCompression = "00"
    film.PixelData = stored.tobytes()


def _encode(
    suffix: str, picture: NDArray[np.uint8] | NDArray[np.uint16], options: tuple[int, int]
) -> bytes:
    _, data = cv2.imencode(suffix, picture, options)
    return data.tobytes()
