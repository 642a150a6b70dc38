import struct

import pytest

from pulmo.radiograph.content import format_of
from pulmo.radiograph.facts import FileFormat


@pytest.mark.parametrize(
    ("head", "form"),
    [
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (b"II*\0", "TIFF"),
        (b"MM\0*", "TIFF"),
        (b"II+\0\x08\0\0\0", "TIFF"),
        (b"RIFF\x08\0\0\0WEBP", "WebP"),
        (b"\xff\x4f\xff\x51\0\x29", "JPEG 2000"),
        (b"RIFF\x08\0\0\0WAVE", None),
        (b"GIF89a", None),
        (b"BM", None),
        (b"A text called image.png", None),
        (b"", None),
    ],
)
def test_the_first_bytes_decide(head: bytes, form: FileFormat | None) -> None:
    assert format_of(head + b"\0" * 200 if head else head) == form


def test_dicom_behind_a_preamble() -> None:
    assert format_of(b"\0" * 128 + b"DICM") == "DICOM"


def test_a_dicom_file_whose_preamble_is_a_tiff_header_is_dicom() -> None:
    assert format_of(b"II*\0".ljust(128, b"\0") + b"DICM") == "DICOM"


@pytest.mark.parametrize(
    ("head", "found"),
    [
        (struct.pack("<HH2sH", 2, 0, b"UL", 4), True),
        (struct.pack("<HH2sH", 8, 5, b"CS", 10), True),
        (struct.pack("<HHI", 8, 5, 10), True),
        (struct.pack("<HHI", 8, 0x16, 26), True),
        (struct.pack("<HHI", 8, 5, 10_000), False),
        (struct.pack("<HHI", 8, 0x9999, 10), False),
        (struct.pack("<HHI", 10, 5, 10), False),
        (b"\x08\0\x05\0", False),
    ],
)
def test_dicom_without_a_preamble(head: bytes, found: bool) -> None:  # noqa: FBT001 - a parameter
    data = head + b" " * 100 if len(head) == 8 else head
    assert format_of(data) == ("DICOM" if found else None)
