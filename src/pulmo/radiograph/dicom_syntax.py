"""The transfer syntaxes of DICOM: which are read, and what they are called."""

import re
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000TransferSyntaxes,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    JPEGLSTransferSyntaxes,
    RLELossless,
)

_PLAIN: Final = (
    ImplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian,
)
_COMPRESSED: Final = (
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLossless,
    JPEGLosslessSV1,
    *JPEGLSTransferSyntaxes,
    *JPEG2000TransferSyntaxes,
    RLELossless,
)
# Of PS3.6 table A-1; pydicom does not know them yet.
_NEWER: Final = {
    "1.2.840.10008.1.2.4.110": "JPEG XL Lossless",
    "1.2.840.10008.1.2.4.111": "JPEG XL JPEG Recompression",
    "1.2.840.10008.1.2.4.112": "JPEG XL",
    "1.2.840.10008.1.2.8.1": "Deflated Image Frame Compression",
}
_UID: Final = re.compile(r"[0-9.]{1,64}")


def decodes(dataset: Dataset) -> bool:
    """Tells whether there is a decoder for the transfer syntax of a data set."""
    syntax = dataset.file_meta.TransferSyntaxUID
    # Colours of 12 bits are stored in no radiograph.
    deep = syntax == JPEGExtended12Bit and int(dataset["BitsStored"].value) > 8
    if deep and int(dataset["SamplesPerPixel"].value) != 1:
        return False
    return syntax in _PLAIN + _COMPRESSED


def syntax_name(dataset: Dataset) -> str:
    """Returns the transfer syntax in words, with its UID where no decoder reads it.

    An unknown one is quoted only if it can be a UID: else it could hold any text.
    """
    syntax = UID(str(dataset.file_meta.TransferSyntaxUID))
    known = _NEWER.get(syntax) or (syntax.name if syntax.name != syntax else "")
    if syntax in _PLAIN + _COMPRESSED:
        return known
    uid = f" ({syntax})" if _UID.fullmatch(syntax) else ""
    return (known or "an unknown transfer syntax") + uid


def is_compressed(dataset: Dataset) -> bool:
    """Tells whether the pixel data of a data set that is read are compressed."""
    return dataset.file_meta.TransferSyntaxUID in _COMPRESSED
