"""DICOM becomes a grey picture, as PS3.4 N.2 displays it."""

import io
import zlib
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pulmo.core.errors import InputError, RefusedError
from pulmo.radiograph.colour import grey_of_colour
from pulmo.radiograph.dicom_grey import grey_scale_of
from pulmo.radiograph.dicom_pixels import check_pixel_data, stored_values
from pulmo.radiograph.dicom_syntax import decodes, syntax_name
from pulmo.radiograph.dicom_tags import facts_of, text_of
from pulmo.radiograph.display import display
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.guard import damage_of
from pulmo.radiograph.limits import Limits

_GREY: Final = ("MONOCHROME1", "MONOCHROME2")
_COLOUR: Final = ("PALETTE COLOR", "RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")
_RETIRED: Final = ("HSV", "ARGB", "CMYK", "YBR_PARTIAL_422", "YBR_PARTIAL_420")
_NEEDED: Final = (
    "Rows",
    "Columns",
    "BitsAllocated",
    "BitsStored",
    "SamplesPerPixel",
    "PhotometricInterpretation",
)


def decode_dicom(data: bytes, name: str, limits: Limits) -> tuple[NDArray[np.float32], Facts]:
    """Decodes a DICOM file of one frame; a missing preamble or file meta group is no hindrance.

    Messages and notes never quote the value of a tag that could identify a person.

    Args:
        data: the file's bytes.
        name: what a message calls the file.
        limits: Rows and Columns, and the size of the compressed picture, are checked against them
            before it is decoded.

    Returns:
        float32 [height, width] in [0, 1], 0 black, and what is known of the picture.

    Raises:
        InputError: the file is damaged or truncated.
        RefusedError: it is a DICOMDIR, no picture, several frames, a colour photograph, too large
            or too small, or stored in a way that is not read.
    """
    with damage_of(name, "DICOM"):
        dataset = parse_dicom(data, name, limits)
        photometric = _check_scope(dataset, name, limits)
        facts = facts_of(dataset, int(dataset["BitsStored"].value))
        scale, notes = grey_scale_of(dataset, name)
    with damage_of(name, f"DICOM pixel data in {syntax_name(dataset)}"):
        check_pixel_data(dataset, name)
        stored, bit_notes = stored_values(dataset, name)
        top = 2**facts.bits - 1
        if photometric == "PALETTE COLOR":
            stored = apply_color_lut(stored, dataset)[..., :3]
            top = 2 ** int(dataset["RedPaletteColorLookupTableDescriptor"].value[2]) - 1
        if stored.ndim != (2 if photometric in _GREY else 3):
            raise InputError(f"{name} has another number of channels than its colours need.")
    if photometric in _GREY:
        pixels, more = display(stored, scale)
    else:
        # A palette may state more bits than its entries have.
        top = min(top, np.iinfo(stored.dtype).max)
        pixels, more = grey_of_colour(np.clip(stored, 0, top), top, name)
    return pixels, facts._replace(notes=notes + bit_notes + more)


def read_dicom_header(data: bytes, name: str, limits: Limits) -> tuple[tuple[int, int], Facts]:
    """Returns height, width and facts as `decode_dicom`, without decoding the picture.

    Raises:
        InputError: the header is damaged, or the pixel data are not as long as it says.
        RefusedError: as `decode_dicom`; only a colour photograph is not seen without decoding.
    """
    with damage_of(name, "DICOM"):
        dataset = parse_dicom(data, name, limits)
        _check_scope(dataset, name, limits)
        facts = facts_of(dataset, int(dataset["BitsStored"].value))
    with damage_of(name, f"DICOM pixel data in {syntax_name(dataset)}"):
        check_pixel_data(dataset, name)
    return (int(dataset["Rows"].value), int(dataset["Columns"].value)), facts


def parse_dicom(data: bytes, name: str, limits: Limits) -> FileDataset:
    """Reads the data set, and names its transfer syntax if the file does not (PS3.10 7.1)."""
    file = io.BytesIO(data)
    file.seek(132 if data[128:132] == b"DICM" else 0)
    meta = read_dataset(
        file, is_implicit_VR=False, is_little_endian=True, stop_when=lambda tag, *_: tag.group != 2
    )
    if meta.get("TransferSyntaxUID") == DeflatedExplicitVRLittleEndian:
        unpacked = zlib.decompressobj(-zlib.MAX_WBITS).decompress(
            data[file.tell() :], limits.max_bytes + 1
        )
        limits.check_bytes(len(unpacked), f"What {name} unpacks to")
    dataset = dcmread(io.BytesIO(data), force=True)
    if not getattr(dataset, "file_meta", None):
        dataset.file_meta = FileMetaDataset()
    if "TransferSyntaxUID" not in dataset.file_meta:
        implicit, little = dataset.original_encoding
        plain = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else plain
    return dataset


def _check_scope(dataset: FileDataset, name: str, limits: Limits) -> str:
    """Returns the photometric interpretation of a data set that is one picture.

    Raises:
        InputError: it should be a picture but lacks what one needs.
        RefusedError: it is something else, or a picture that is not read.
    """
    if "DirectoryRecordSequence" in dataset:
        raise RefusedError(f"{name} is a DICOMDIR, a list of other files; name these instead.")
    if "PixelData" not in dataset:
        kind = UID(text_of(dataset, "SOPClassUID"))
        if "Rows" in dataset or "Image Storage" in kind.name:
            raise InputError(f"{name} is a DICOM picture without pixel data; it may be truncated.")
        known = kind.name if kind.name != kind else "of an unknown kind"
        raise RefusedError(f"{name} is a DICOM file without a picture ({known or 'no kind'}).")
    missing = [keyword for keyword in _NEEDED if dataset.get(keyword) in (None, "")]
    if missing:
        raise InputError(f"{name} is a DICOM picture that lacks {', '.join(missing)}.")
    if int(dataset.get("NumberOfFrames") or 1) != 1:
        raise RefusedError(f"{name} holds several frames; one picture was expected.")
    limits.check_shape(int(dataset["Rows"].value), int(dataset["Columns"].value), name)
    photometric = text_of(dataset, "PhotometricInterpretation")
    if photometric not in _GREY + _COLOUR:
        known = photometric if photometric in _RETIRED else "unknown"
        raise RefusedError(
            f"{name} has the photometric interpretation {known}; {', '.join(_GREY + _COLOUR)} "
            "are read."
        )
    if not decodes(dataset):
        raise RefusedError(
            f"{name} is compressed in a way that is not read: {syntax_name(dataset)}."
        )
    return photometric
