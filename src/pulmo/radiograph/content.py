"""What a file is, by its first bytes and never by its name."""

import re
from typing import Final

from pulmo.core.errors import InputError
from pulmo.radiograph.codestream import J2K, JP2
from pulmo.radiograph.facts import FileFormat

_IMAGES: Final[dict[bytes, FileFormat]] = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    # BigTIFF.
    b"II+\0\x08\0\0\0": "TIFF",
    b"MM\0+\0\x08\0\0": "TIFF",
    JP2: "JPEG 2000",
    J2K: "JPEG 2000",
}
# RIFF is a container of sound and images too; BM may begin any text.
_WEBP: Final = re.compile(rb"RIFF....WEBP", re.DOTALL)
_BMP: Final = re.compile(rb"BM.{4}\0{4}.{4}[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0", re.DOTALL)

_OTHERS: Final = {
    rb"GIF8[79]a": "a GIF image",
    rb"....ftyp(heic|heix|heim|heis|hevc|mif1|msf1)": "a HEIC image",
    rb"....ftypavi[fs]": "an AVIF image",
    rb"....ftyp": "an image in an MPEG-4 container",
    rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n": "a JPEG XL image",
    rb"II\xbc\x01": "a JPEG XR image",
    rb"8BPS": "a Photoshop image",
    rb"%PDF-": "a PDF document",
    rb"%!PS": "a PostScript document",
    rb"PK\x03\x04|PK\x05\x06": "a ZIP archive or an office document",
    rb"\x1f\x8b": "a gzip archive",
    rb"BZh[1-9]": "a bzip2 archive",
    rb"\xfd7zXZ\0": "an xz archive",
    rb"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    rb"Rar!\x1a\x07": "a RAR archive",
    rb"\x93NUMPY": "a NumPy array",
    rb"\x89HDF\r\n\x1a\n": "an HDF5 file",
    rb"NRRD000": "an NRRD volume",
    rb"(?:\x5c\x01\0\0|\0\0\x01\x5c).{340}n[i+]1\0": "a NIfTI volume",
    rb"version https://git-lfs": "a Git LFS pointer that stands for the file; get it with `git lfs "
    "pull`",
    rb"(?:\xef\xbb\xbf)?\s*(?i:<!doctype html|<html)": "an HTML page",
    rb"(?:\xef\xbb\xbf)?\s*(?i:<\?xml|<svg)": "an XML document",
    rb"P[1-7]\s": "a PNM image",
    rb"\0\0\x01\0[^\0]\0": "an icon",
    rb"v/1\x01": "an OpenEXR image",
    rb"#\?RADIANCE": "a Radiance image",
    rb"gimp xcf": "a GIMP image",
    rb"AT&TFORM": "a DjVu document",
    rb"ObjectType\s*=": "the header of a MetaImage volume",
    rb"MATLAB 5\.0 MAT-file": "a MATLAB file",
    rb"SQLite format 3\0": "an SQLite database",
    rb".{257}ustar": "a tar archive",
    rb"\x80[\x02-\x05][\x95(}\]]": "a Python pickle",
    rb"\x7fELF|MZ.{56}": "a program",
    rb"\0{512}": "a file of zeros, perhaps from a download that failed",
}
"""First bytes -> what begins with them and is not read."""
_KNOWN: Final = {re.compile(start, re.DOTALL): what for start, what in _OTHERS.items()}

_READ: Final = "PNG, JPEG, TIFF, BMP, WebP, JPEG 2000 or DICOM"

_VALUE_REPRESENTATIONS: Final = frozenset({b"AE", b"CS", b"DA", b"OB", b"SH", b"TM", b"UI", b"UL"})


def format_of(data: bytes) -> FileFormat | None:
    """Returns the format of a file, or None for one that is not read."""
    # DICOM first: its preamble may hold the head of a TIFF file (PS3.10 7.1).
    if data[128:132] == b"DICM" or _starts_a_data_set(data):
        return "DICOM"
    if _WEBP.match(data):
        return "WebP"
    if _BMP.match(data):
        return "BMP"
    return next((form for magic, form in _IMAGES.items() if data.startswith(magic)), None)


def known_format(data: bytes, name: str) -> FileFormat:
    """Returns the format of a file that is read.

    Raises:
        InputError: it is another kind of file, which is named if its first bytes tell.
    """
    form = format_of(data)
    if form is not None:
        return form
    what = next((what for start, what in _KNOWN.items() if start.match(data)), None)
    if what is None:
        raise InputError(
            "image-format-unknown",
            f"{name} is not a {_READ} file: its content is of another kind.",
        )
    raise InputError("image-format-unknown", f"{name} is {what}. A {_READ} file was expected.")


def _starts_a_data_set(data: bytes) -> bool:
    """Tells whether DICOM starts without the preamble of PS3.10 7.1.

    The first element is then in group 0002 or 0008, little endian, with a low element number and
    either a value representation of those groups or a length that fits (PS3.5 7.1).
    """
    group, element = data[:2], int.from_bytes(data[2:4], "little")
    if len(data) < 8 or group not in {b"\x02\0", b"\x08\0"} or element > 0x20:
        return False
    length = int.from_bytes(data[4:8], "little")
    return data[4:6] in _VALUE_REPRESENTATIONS or length <= min(64, len(data) - 8)
