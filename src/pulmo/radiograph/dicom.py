"""DICOM becomes a grey image, as PS3.4 N.2 displays it."""

import io
import zlib
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.filereader import dcmread, read_dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from pulmo.radiograph.colour import grey_of_colour
from pulmo.radiograph.dicom_elements import Elements
from pulmo.radiograph.dicom_grey import grey_scale_of
from pulmo.radiograph.dicom_pixels import check_pixel_data, stored_values
from pulmo.radiograph.dicom_scope import GREY, check_scope
from pulmo.radiograph.dicom_shutter import shutter_of
from pulmo.radiograph.dicom_syntax import syntax_name
from pulmo.radiograph.dicom_tables import TableReader
from pulmo.radiograph.dicom_tags import aspect_of, facts_of, note_orientation, note_scope
from pulmo.radiograph.display import GreyScale, display, shutter_note
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.guard import damage_of
from pulmo.radiograph.limits import Limits
from pulmo.radiograph.notes import Note

_ASPECTS: Final = (0.1, 10.0)
"""The most unequal pixels that are resampled; beyond, the header is taken to be wrong."""
_SQUARE: Final = 0.01
"""How far from 1 the ratio of a pixel's sides may be, as rounded spacings are, to count as 1."""


def decode_dicom(data: bytes, name: str, limits: Limits) -> tuple[NDArray[np.float32], Facts]:
    """Decodes a DICOM file of one frame; a missing preamble or file meta group is no hindrance.

    Messages and notes never quote the value of a tag that could identify a person.

    Args:
        data: the file's bytes.
        name: what a message calls the file.
        limits: Rows and Columns, and the size of the compressed image, are checked against them
            before it is decoded.

    Returns:
        float32 [height, width] in [0, 1], 0 black, and what is known of the image.

    Raises:
        InputError: the file is damaged or truncated.
        RefusedError: it is a DICOMDIR, no image, several frames, a colour photograph, too large
            or too small, or stored in a way that is not read.
    """
    dataset, elements, facts, scale = header_of(data, name, limits)
    with damage_of(name, f"DICOM pixel data in {syntax_name(dataset)}"):
        check_pixel_data(dataset, name)
        stored, bit_notes = stored_values(dataset, name)
        if scale is not None:
            pixels, notes = display(stored, scale, shutter_of(elements, stored.shape))
        else:
            pixels, notes = _grey_of_colours(elements, stored, name)
    pixels, facts = _with_square_pixels(elements, pixels, facts, limits)
    return pixels, facts._replace(notes=(*elements.notes, *bit_notes, *notes))


def read_dicom_header(data: bytes, name: str, limits: Limits) -> tuple[tuple[int, int], Facts]:
    """Returns height, width and facts as `decode_dicom`, without decoding the image.

    Raises:
        InputError: the header is damaged, or the pixel data are not as long as it says.
        RefusedError: as `decode_dicom`; only a colour photograph is not seen without decoding.
    """
    dataset, elements, facts, _ = header_of(data, name, limits)
    shape = int(dataset["Rows"].value), int(dataset["Columns"].value)
    shape, facts = _square(elements, shape, facts, limits)
    with damage_of(name, f"DICOM pixel data in {syntax_name(dataset)}"):
        check_pixel_data(dataset, name)
    return shape, facts._replace(notes=tuple(elements.notes))


class Header(NamedTuple):
    """What the header of one image says.

    Attributes:
        dataset: the data set.
        elements: its elements, with the notes on them.
        facts: what is known of the image; their notes are still with the elements.
        scale: how a greyscale image is displayed; None for one in colours or of a palette.
    """

    dataset: FileDataset
    elements: Elements
    facts: Facts
    scale: GreyScale | None


def header_of(data: bytes, name: str, limits: Limits) -> Header:
    """Reads the header of one image that is read.

    Raises:
        InputError: it is damaged.
        RefusedError: it is not that of one image that is read.
    """
    with damage_of(name, "DICOM"):
        dataset = parse_dicom(data, name, limits)
        elements = Elements(dataset)
        photometric = check_scope(elements, name, limits)
        facts = facts_of(elements, int(dataset["BitsStored"].value))
        scale = grey_scale_of(elements, name) if photometric in GREY else None
        note_orientation(elements)
        note_scope(elements, facts)
    return Header(dataset, elements, facts, scale)


def _grey_of_colours(
    elements: Elements, stored: NDArray[Any], name: str
) -> tuple[NDArray[np.float32], tuple[Note, ...]]:
    """Returns the grey image of one in colours or of a palette, and notes on it."""
    shape = stored.shape[0], stored.shape[1]
    top = 2 ** int(elements.dataset["BitsStored"].value) - 1
    if stored.ndim == 2:
        stored, top = TableReader.of(elements, name).colours(stored)
    pixels, notes = grey_of_colour(np.clip(stored, 0, top), top, name)
    inside = shutter_of(elements, shape)
    if inside is not None:
        pixels[~inside] = 0
        notes = (*notes, shutter_note(inside))
    return pixels, notes


def _with_square_pixels(
    elements: Elements, pixels: NDArray[np.float32], facts: Facts, limits: Limits
) -> tuple[NDArray[np.float32], Facts]:
    """Returns an image resampled so that its pixels are as high as wide."""
    height, width = pixels.shape
    shape, facts = _square(elements, (height, width), facts, limits)
    if shape == (height, width):
        return pixels, facts
    image = Image.fromarray(pixels).resize(shape[::-1], Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32), facts


def _square(
    elements: Elements, shape: tuple[int, int], facts: Facts, limits: Limits
) -> tuple[tuple[int, int], Facts]:
    """Returns height and width with square pixels, and the facts that go with them.

    The side on which pixels are longer gets more of them, so that nothing is lost.
    """
    ratio = aspect_of(elements)
    if abs(ratio - 1) <= _SQUARE:
        return shape, facts
    height, width = shape
    square = (round(height * ratio), width) if ratio > 1 else (height, round(width / ratio))
    if not _ASPECTS[0] <= ratio <= _ASPECTS[1] or square[0] * square[1] > limits.max_pixels:
        text = f"The header says that pixels are {ratio:.3g} times as high as wide; it was ignored."
        elements.note("value-unusable", text)
        return shape, facts
    text = f"Pixels are {ratio:.3g} times as high as wide: the image was resampled."
    elements.note("aspect", text)
    if facts.spacing:
        facts = facts._replace(spacing=(min(facts.spacing), min(facts.spacing)))
    return square, facts


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
