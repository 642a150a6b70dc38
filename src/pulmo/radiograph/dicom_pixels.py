"""The pixel data of a DICOM data set become stored values."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset
from pydicom.encaps import get_frame
from pydicom.pixels.decoders.base import get_decoder
from pydicom.pixels.utils import get_expected_length, pixel_array
from pydicom.uid import JPEGExtended12Bit, RLELossless

from pulmo.core.errors import InputError
from pulmo.radiograph.codestream import codestream_shape
from pulmo.radiograph.isolated import isolated_pixels

# In the order of preference. pylibjpeg's decoder of JPEG 2000 reads files that Pillow's does not.
# Its decoder of RLE is fourteen times as fast as pydicom's, but damaged data end it in a panic of
# Rust's, which is no Exception and writes to stderr. Without a name, pydicom would try them all.
_DECODERS: Final = ("pydicom", "pylibjpeg", "pillow")


def decodes(dataset: Dataset) -> bool:
    """Tells whether there is a decoder for the transfer syntax of a data set."""
    # No decoder is known to read several channels of 12 bits.
    if _is_extended(dataset) and int(dataset["SamplesPerPixel"].value) != 1:
        return False
    try:
        return bool(get_decoder(dataset.file_meta.TransferSyntaxUID).is_available)
    except NotImplementedError:
        return False


def stored_values(dataset: FileDataset, data: bytes) -> NDArray[Any]:
    """Decodes the pixel data of a data set of one frame.

    GDCM decodes only what no other decoder reads: JPEG Lossless, JPEG-LS, and JPEG of 12 bits.

    Args:
        dataset: what `data` holds.
        data: the file's bytes.

    Returns:
        integers [rows, columns], or [rows, columns, 3] in red, green and blue.

    Raises:
        Exception: whatever a decoder raises on damaged pixel data.
    """
    decoder = get_decoder(dataset.file_meta.TransferSyntaxUID)
    if not decoder.is_encapsulated:
        return _from_high_bit(dataset, "")
    plugin = next((name for name in _DECODERS if name in decoder.available_plugins), None)
    if plugin is None or _is_extended(dataset):
        return isolated_pixels(data)
    if plugin == "pydicom":
        return _from_high_bit(dataset, plugin)
    return pixel_array(dataset, index=0, allow_excess_frames=False, decoding_plugin=plugin)


def check_pixel_data(dataset: FileDataset, name: str) -> None:
    """Checks the length of plain pixel data, and the size of the picture in compressed ones.

    Raises:
        InputError: it is not what Rows and Columns say.
    """
    pixel_data: bytes = dataset["PixelData"].value
    shape = int(dataset["Rows"].value), int(dataset["Columns"].value)
    syntax = dataset.file_meta.TransferSyntaxUID
    if syntax.is_encapsulated:
        whole = codestream_shape(get_frame(pixel_data, 0, number_of_frames=1))
        if syntax != RLELossless and whole != shape:
            raise InputError(
                f"{name} holds a compressed picture that is damaged, truncated or of another size "
                "than it says."
            )
        return
    expected = get_expected_length(dataset)
    if len(pixel_data) < expected:
        raise InputError(
            f"{name} is truncated: {len(pixel_data):,} of {expected:,} bytes of pixel data."
        )
    # PS3.5 8.1.1: what follows the picture is padding, so it holds nothing. The byte that makes
    # the length even is exempt: in big-endian words it is not the last one.
    if pixel_data[expected + expected % 2 :].strip(b"\0"):
        raise InputError(
            f"{name} holds {len(pixel_data):,} bytes of pixel data; its size says {expected:,}."
        )


def has_hidden_bits(dataset: FileDataset) -> bool:
    """Tells whether plain pixel data hold more than the picture, in bits that are not its own.

    Raises:
        Exception: whatever pydicom raises on damaged pixel data.
    """
    bits = int(dataset["BitsStored"].value)
    above = int(dataset.get("HighBit") or bits - 1) + 1
    whole, without_upper = (
        pixel_array(dataset, index=0, bits_stored=above, correct_unused_bits=correct)
        for correct in (False, True)
    )
    lower = without_upper & (2 ** max(above - bits, 0) - 1)
    return bool(lower.any()) or not np.array_equal(whole, without_upper)


def syntax_name(dataset: Dataset) -> str:
    """Returns the transfer syntax in words; an unknown one could hold any text."""
    syntax: Any = dataset.file_meta.TransferSyntaxUID
    return syntax.name if syntax.name != syntax else "an unknown transfer syntax"


def _is_extended(dataset: Dataset) -> bool:
    """Tells whether this is JPEG of 12 bits, which Pillow does not read."""
    extended = dataset.file_meta.TransferSyntaxUID == JPEGExtended12Bit
    return bool(extended) and int(dataset["BitsStored"].value) > 8


def _from_high_bit(dataset: FileDataset, plugin: str) -> NDArray[Any]:
    """Decodes values that need not begin at the lowest bit, as in older files (PS3.5 8.1.1)."""
    bits = int(dataset["BitsStored"].value)
    above = int(dataset.get("HighBit") or bits - 1) + 1
    values = pixel_array(
        dataset, index=0, allow_excess_frames=False, decoding_plugin=plugin, bits_stored=above
    )
    return values if above == bits else np.right_shift(values, above - bits)
