import io
import struct

import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import get_frame

from pulmo.radiograph.codestream import (
    codestream_of,
    comments_of,
)


def shape_of(frame: bytes) -> tuple[int, int] | None:
    """Height and width of a frame that has its end."""
    head = codestream_of(frame)
    return head[1:3] if head and head.is_ended else None


def jpeg_2000() -> bytes:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "JPEG2000", no_jp2=True)
    return file.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
def test_jpeg(progressive: bool) -> None:  # noqa: FBT001 - a parameter
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "JPEG", progressive=progressive)
    assert shape_of(file.getvalue()) == (24, 40)


def test_jpeg_with_fill_bytes_before_a_marker() -> None:
    head = b"\xff\xd8\xff\xff\xff\xc0" + struct.pack(">HBHH", 11, 8, 24, 40)
    scan = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + b"coded"
    frame = head + b"\1\1\x11\0" + scan + b"\xff\xd9"
    assert shape_of(frame) == (24, 40)


def test_jpeg_ls() -> None:
    path = get_testdata_file("MR_small_jpeg_ls_lossless.dcm", download=False)
    frame = get_frame(dcmread(str(path)).PixelData, 0, number_of_frames=1)
    assert shape_of(frame) == (64, 64)


def test_jpeg_2000() -> None:
    assert shape_of(jpeg_2000()) == (24, 40)


def test_jpeg_2000_in_its_file_format() -> None:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "JPEG2000")
    assert file.getvalue()[4:8] == b"jP  "
    assert shape_of(file.getvalue()) == (24, 40)


@pytest.mark.parametrize(
    "frame",
    [
        b"",
        b"\xff\xd8",
        b"\xff\xd8\xff\xe0\0\2no marker here",
        b"\xff\xd8\xff\xc0\0\7" + bytes(5) + b"\xff\xd9",
        b"\xff\xd8" + 2 * (b"\xff\xc0\0\x0b" + bytes(9)) + b"\xff\xd9",
        jpeg_2000()[:20],
        b"\x01\0\0\0" + b"\xff\x4f\xff\x51" * 10,
    ],
)
def test_what_is_not_whole_or_is_something_else_has_no_size(frame: bytes) -> None:
    assert shape_of(frame) is None


def test_a_truncated_jpeg_has_no_size() -> None:
    file = io.BytesIO()
    Image.effect_noise((40, 24), 50).save(file, "JPEG", progressive=True, restart_marker_rows=1)
    frame = file.getvalue()
    assert b"\xff\xd1" in frame
    assert shape_of(frame + b"\0") == (24, 40)
    for length in range(2, len(frame)):
        assert shape_of(frame[:length]) is None


def jpeg(comment: bytes = b"", form: str = "JPEG") -> bytes:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, form, comment=comment)
    return file.getvalue()


def test_comments_of_jpeg() -> None:
    assert comments_of(jpeg()) == []
    assert comments_of(jpeg(b"DOE^JANE")) == [b"DOE^JANE"]
    exif = Image.Exif()
    exif[270] = "DOE^JANE"
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "JPEG", exif=exif)
    (found,) = comments_of(file.getvalue())
    assert b"DOE^JANE" in found


def test_comments_behind_fill_bytes() -> None:
    data = jpeg(b"DOE^JANE")
    at = data.index(b"\xff\xfe")
    assert comments_of(data[:at] + b"\xff\xff" + data[at:]) == [b"DOE^JANE"]


def test_adobes_colours_are_no_comment() -> None:
    file = io.BytesIO()
    Image.new("CMYK", (40, 24)).save(file, "JPEG")
    assert b"Adobe" in file.getvalue()
    assert comments_of(file.getvalue()) == []


@pytest.mark.parametrize("plain", [False, True])
def test_comments_of_jpeg_2000(plain: bool) -> None:  # noqa: FBT001 - a parameter
    for comment, expected in ((b"", []), (b"DOE^JANE", [b"DOE^JANE"])):
        file = io.BytesIO()
        Image.new("L", (40, 24)).save(file, "JPEG2000", no_jp2=plain, comment=comment)
        assert comments_of(file.getvalue()) == expected


def test_metadata_around_jpeg_2000() -> None:
    file = io.BytesIO()
    Image.new("L", (40, 24)).save(file, "JPEG2000")
    data = file.getvalue()
    start = data.index(b"jp2c") - 4
    box = struct.pack(">I", 16) + b"xml DOE^JANE"
    assert comments_of(data[:start] + box + data[start:]) == [b"xml "]


@pytest.mark.parametrize("frame", [b"", b"\0" * 64, b"\xff\xd8", jpeg_2000()[:6]])
def test_what_is_no_image_has_no_comments(frame: bytes) -> None:
    assert comments_of(frame) == []


def test_jpeg_ls_of_a_shipped_file_has_no_comment() -> None:
    path = get_testdata_file("SC_rgb_jls_lossy_line.dcm", download=False)
    assert comments_of(get_frame(dcmread(str(path)).PixelData, 0, number_of_frames=1)) == []


def test_bytes_in_an_application_segment_are_no_markers() -> None:
    data = jpeg()
    inside = b"\xff\xe2" + struct.pack(">H", 12) + b"\xff\xf7\xff\xda\xff\xd9\xff\xc0zz"
    head = codestream_of(data[:2] + inside + data[2:])
    assert head is not None
    assert (head.kind, head.height, head.width, head.bits, head.is_ended) == (
        *("JPEG", 24, 40, 8),
        True,
    )
