"""The transfer syntaxes of DICOM: which are read, and what they are called."""

import re
from collections.abc import Mapping
from typing import Final

from pydicom.dataset import Dataset
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    JPEG2000MC,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
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

from pulmo.radiograph.codestream import Compression

COMPRESSIONS: Final[Mapping[UID, Compression | None]] = {
    ImplicitVRLittleEndian: None,
    ExplicitVRLittleEndian: None,
    ExplicitVRBigEndian: None,
    # The header is deflated too, so pydicom inflates both.
    DeflatedExplicitVRLittleEndian: None,
    JPEGBaseline8Bit: "JPEG",
    JPEGExtended12Bit: "JPEG",
    JPEGLossless: "JPEG",
    JPEGLosslessSV1: "JPEG",
    JPEGLSLossless: "JPEG-LS",
    JPEGLSNearLossless: "JPEG-LS",
    JPEG2000Lossless: "JPEG 2000",
    JPEG2000: "JPEG 2000",
    JPEG2000MCLossless: "JPEG 2000",
    JPEG2000MC: "JPEG 2000",
    HTJ2KLossless: "JPEG 2000",
    HTJ2KLosslessRPCL: "JPEG 2000",
    HTJ2K: "JPEG 2000",
    RLELossless: "RLE",
}
"""Transfer syntax that is read -> the compression of its pixel data, None where it has none.

`decoders.DECODERS` has one decoder for each compression.
"""
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
    syntax = _syntax_of(dataset)
    # Colours of 12 bits are stored in no radiograph.
    deep = syntax == JPEGExtended12Bit and int(dataset["BitsStored"].value) > 8
    if deep and int(dataset["SamplesPerPixel"].value) != 1:
        return False
    return syntax in COMPRESSIONS


def compression_of(dataset: Dataset) -> Compression | None:
    """Returns how the pixel data of a data set are compressed; None where they are not.

    One of a transfer syntax that is not read counts as uncompressed.
    """
    return COMPRESSIONS.get(_syntax_of(dataset))


def syntax_name(dataset: Dataset) -> str:
    """Returns the transfer syntax in words, with its UID where no decoder reads it.

    An unknown one is quoted only if it can be a UID: else it could hold any text.
    """
    syntax = _syntax_of(dataset)
    known = _NEWER.get(syntax) or (syntax.name if syntax.name != syntax else "")
    if syntax in COMPRESSIONS:
        return known
    uid = f" ({syntax})" if _UID.fullmatch(syntax) else ""
    return (known or "an unknown transfer syntax") + uid


def _syntax_of(dataset: Dataset) -> UID:
    return UID(str(dataset.file_meta.TransferSyntaxUID))
