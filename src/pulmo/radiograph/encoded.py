"""A drawing in each format and each compression of DICOM that is read, to try the decoders."""

import io
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmwrite
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import RLELosslessEncoder
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    UID,
    DigitalXRayImageStorageForPresentation,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    JPEG2000Lossless,
    JPEG2000MCLossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_pixels import stored_values
from pulmo.radiograph.dicom_syntax import COMPRESSIONS
from pulmo.radiograph.limits import LIMITS
from pulmo.radiograph.radiograph import decode_radiograph

Grey = NDArray[np.uint8]

_LOSSY: Final = 6
"""By how much a grey value of 255 may be off after a compression that is not exact."""

_RASTER: Final = {
    "PNG": (dict[str, Any](), 0),
    "TIFF": ({"compression": "tiff_lzw"}, 0),
    "BMP": (dict[str, Any](), 0),
    "WebP": ({"lossless": True}, 0),
    "JPEG 2000": ({"irreversible": False}, 0),
    "JPEG": ({"quality": 95}, _LOSSY),
}
"""Format -> how Pillow writes it, and by how much a grey value may be off then."""

_FRAMES: Final[dict[UID, tuple[Callable[[Grey], Any], int]]] = {
    JPEGBaseline8Bit: (lambda grey: imagecodecs.jpeg8_encode(grey, 95), _LOSSY),
    JPEGExtended12Bit: (
        lambda grey: imagecodecs.jpeg8_encode(grey.astype(np.uint16), 95, bitspersample=12),
        _LOSSY,
    ),
    JPEGLossless: (lambda grey: imagecodecs.jpeg8_encode(grey, lossless=True, predictor=4), 0),
    JPEGLosslessSV1: (lambda grey: imagecodecs.jpeg8_encode(grey, lossless=True, predictor=1), 0),
    JPEGLSLossless: (lambda grey: imagecodecs.jpegls_encode(grey, 0), 0),
    JPEGLSNearLossless: (lambda grey: imagecodecs.jpegls_encode(grey, 2), 2),
    **dict.fromkeys(
        (JPEG2000Lossless, JPEG2000MCLossless),
        (lambda grey: imagecodecs.jpeg2k_encode(grey, 0, codecformat="j2k", reversible=True), 0),
    ),
    **dict.fromkeys(
        (JPEG2000, JPEG2000MC),
        (lambda grey: imagecodecs.jpeg2k_encode(grey, 60, codecformat="j2k"), _LOSSY),
    ),
    **dict.fromkeys(
        (HTJ2KLossless, HTJ2KLosslessRPCL), (lambda grey: imagecodecs.htj2k_encode(grey, 0.0), 0)
    ),
    HTJ2K: (lambda grey: imagecodecs.htj2k_encode(grey, 0.001), _LOSSY),
    RLELossless: (lambda grey: rle_frame(grey, 8), 0),
}
"""Transfer syntax -> how an image is compressed, and by how much a grey value may be off then."""


class Encoded(NamedTuple):
    """A drawing in a file.

    Attributes:
        name: of the format or the compression.
        data: the file.
        off: by how much a grey value may be off, of 255.
    """

    name: str
    data: bytes
    off: int


def drawing() -> Grey:
    """Returns an image without symmetries, with all greys: [40, 56]."""
    rows, columns = np.mgrid[:40, :56]
    grey = (np.sin(columns / 9) + np.cos(rows / 7) + 2) / 4 * 255
    return np.asarray(np.rint(grey), np.uint8)


def encoded(grey: Grey) -> Iterator[Encoded]:
    """Yields an image [height, width] in each format and compression that is read."""
    for form, (options, off) in _RASTER.items():
        raster = io.BytesIO()
        Image.fromarray(grey).save(raster, form.replace(" ", ""), **options)
        yield Encoded(form, raster.getvalue(), off)
    for syntax in COMPRESSIONS:
        encode, off = _FRAMES.get(syntax, (np.ndarray.tobytes, 0))
        bits = 12 if syntax == JPEGExtended12Bit else 8
        file = dicom_file(bytes(encode(grey)), syntax, (grey.shape[0], grey.shape[1]), bits=bits)
        yield Encoded(f"DICOM, {syntax.name}", file, off)


def largest_error(file: Encoded, grey: Grey) -> float:
    """Returns by how much a grey value that is read is off at most, of 255.

    Args:
        file: the image in a file.
        grey: the image.

    Raises:
        InputError: it cannot be read.
    """
    if file.name.startswith("DICOM"):
        values = stored_values(parse_dicom(file.data, file.name, LIMITS), file.name)[0]
    else:
        values = 255 * decode_radiograph(file.data, file.name).pixels
    if values.shape != grey.shape:
        return float("inf")
    # A reader divides by 255, and this multiplies: the last bit is no error.
    return float(np.abs(values.astype(np.float64) - grey).max().round(3))


def dicom_file(
    data: bytes, syntax: UID, shape: tuple[int, int], *, bits: int, samples: int = 1
) -> bytes:
    """Returns a digital X-ray in DICOM of which nothing is known.

    Args:
        data: its only frame as the transfer syntax has it, or its plain samples.
        syntax: the transfer syntax.
        shape: height and width.
        bits: of a sample.
        samples: of a pixel; 3 are red, green and blue.
    """
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = DigitalXRayImageStorageForPresentation
    meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    meta.TransferSyntaxUID = syntax
    image = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID = DigitalXRayImageStorageForPresentation
    image.SOPInstanceUID, image.Modality = UID("1.2.3"), "DX"
    image.Rows, image.Columns = shape
    image.BitsAllocated, image.BitsStored, image.HighBit = 8 if bits <= 8 else 16, bits, bits - 1
    image.WindowCenter, image.WindowWidth = 2 ** (bits - 1), 2**bits
    image.SamplesPerPixel, image.PixelRepresentation = samples, 0
    image.PhotometricInterpretation = "MONOCHROME2" if samples == 1 else "RGB"
    if samples > 1:
        image.PlanarConfiguration = 0
    image.PixelData = encapsulate([data]) if syntax.is_encapsulated else data
    # Bytes, as 8 bits are stored; of words the bytes would be swapped.
    image["PixelData"].VR = "OB" if bits <= 8 or syntax.is_encapsulated else "OW"
    file = io.BytesIO()
    dcmwrite(file, image, enforce_file_format=True)
    return file.getvalue()


def rle_frame(values: NDArray[Any], bits: int) -> bytes:
    """Returns an image [height, width] or [height, width, 3] in RLE (PS3.5, annex G)."""
    samples = 1 if values.ndim == 2 else values.shape[2]
    frame: bytes = RLELosslessEncoder.encode(
        values.tobytes(),
        rows=values.shape[0],
        columns=values.shape[1],
        samples_per_pixel=samples,
        bits_allocated=8 * values.itemsize,
        bits_stored=bits,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2" if samples == 1 else "RGB",
        planar_configuration=0,
        number_of_frames=1,
    )
    return bytes(frame)
