"""Files whose image ends early, although the file has its end."""

import io
import shutil
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from PIL.TiffImagePlugin import TiffImageFile

from fixtures.refuses import DAMAGED, refuses
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.header import read_header

END = b"\xff\xd9"
CASES = Path(__file__).parents[3] / "shared" / "cases"


def drawn(channels: int = 1) -> NDArray[np.uint8]:
    """A smooth image with noise, dark but never black: [40, 56], or with channels."""
    rng = np.random.default_rng(1)
    rows, columns = np.mgrid[:40, :56]
    grey = (np.sin(columns / 9) + np.cos(rows / 7) + 2) * 50 + rng.normal(0, 3, rows.shape)
    values = grey.clip(1, 255).astype(np.uint8)
    return values if channels == 1 else np.dstack([values] * channels)


def saved(values: NDArray[Any], form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    file = io.BytesIO()
    Image.fromarray(values).save(file, form, **options)
    return file.getvalue()


JPEGS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "optimised": {"optimize": True},
    "progressive": {"progressive": True},
    "restarts": {"restart_marker_rows": 1},
    "progressive with restarts": {"progressive": True, "restart_marker_rows": 1},
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_whose_data_end_early(name: str, keep: float, channels: int) -> None:
    data = saved(drawn(channels), "JPEG", **JPEGS[name])
    start = data.find(b"\xff\xda") + 14
    cut = data[: start + int((len(data) - start) * keep)]
    for spoilt in (cut, cut + END, cut + END + b"\0\0"):
        with refuses(DAMAGED, "image"):
            decode_radiograph(spoilt, "image")


@pytest.mark.parametrize("options", [[], ["-progressive"], ["-restart", "1"]])
def test_an_arithmetic_jpeg(options: list[str]) -> None:
    program = shutil.which("cjpeg")
    if program is None:
        pytest.skip("cjpeg of libjpeg-turbo is not installed")
    command = [program, "-arithmetic", *options]
    data = subprocess.run(
        command, input=saved(drawn(), "PPM"), capture_output=True, check=True
    ).stdout
    theirs = np.asarray(Image.open(io.BytesIO(data)).convert("L"))
    np.testing.assert_allclose(decode_radiograph(data, "image").pixels, theirs / 255, atol=1e-6)
    start = data.find(b"\xff\xda") + 14
    for keep in (0.2, 0.5, 0.9):
        with refuses("image-truncated"):
            decode_radiograph(data[: start + int((len(data) - start) * keep)] + END, "image")


@pytest.mark.parametrize("missing", [20, 60, 200])
def test_the_end_of_a_png_within_a_chunk_that_was_cut(missing: int) -> None:
    data = saved(drawn(), "PNG")
    cut = data[: -12 - missing] + data[-12:]
    for read in (decode_radiograph, read_header):
        with refuses("image-truncated", "image"):
            read(cut, "image")


@pytest.mark.parametrize("form", ["jp2", "j2k"])
def test_jpeg_2000_that_ends_early_or_lacks_only_its_end(form: str) -> None:
    data = bytes(imagecodecs.jpeg2k_encode(drawn(), 0, codecformat=form))
    assert data.endswith(END)
    image = decode_radiograph(data[:-2], "image")
    np.testing.assert_allclose(image.pixels, drawn() / 255, atol=1e-6)
    for spoilt in (data[:-100], data[:-100] + END):
        with refuses("image-truncated", "image"):
            decode_radiograph(spoilt, "image")


def test_libjpeg_warns_of_the_same_files() -> None:
    program = shutil.which("djpeg")
    if program is None:
        pytest.skip("djpeg of libjpeg-turbo is not installed")
    data = saved(drawn(), "JPEG", restart_marker_rows=1)
    start = data.find(b"\xff\xda") + 10
    for length in range(start, len(data) - 1, 40):
        cut = data[:length] + END
        strict = subprocess.run([program, "-strict"], input=cut, capture_output=True, check=False)
        assert strict.returncode != 0
        with refuses("image-truncated"):
            decode_radiograph(cut, "image")


@pytest.mark.parametrize("name", JPEGS)
def test_a_whole_jpeg_of_an_odd_form_is_read(name: str) -> None:
    data = saved(drawn(), "JPEG", **JPEGS[name])
    expected = decode_radiograph(data, "image").pixels
    scan = data.find(b"\xff\xda")
    odd = {
        "bytes behind the end": data + b"\0junk\xff\xd9",
        "no end": data[:-2],
        "half an end": data[:-1],
        "fill bytes": data[:-2] + b"\xff\xff\xff" + data[-2:],
        "junk before a marker": data[:scan] + b"\0\1\2" + data[scan:],
        "junk before the end": data[:-2] + b"\0\1\2" + data[-2:],
    }
    for what, other in odd.items():
        np.testing.assert_array_equal(decode_radiograph(other, what).pixels, expected, what)
        assert read_header(other, what).height == 40


def test_the_header_of_a_jpeg_without_an_end_is_read_only_with_all_rows() -> None:
    data = saved(np.tile(drawn(), (4, 4)), "JPEG")
    with refuses("image-truncated"):
        read_header(data[: len(data) * 3 // 4], "image")


def test_a_progressive_jpeg_that_lacks_its_last_scans() -> None:
    data = saved(drawn(), "JPEG", progressive=True)
    table = data.rfind(b"\xff\xc4")
    scan = data.rfind(b"\xff\xda")
    assert table < scan
    with refuses("image-truncated"):
        decode_radiograph(data[:table] + END, "image")


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    data = saved(drawn(), "JPEG", progressive=True)
    scan = data.rfind(b"\xff\xda")
    many = data[:-2] + data[scan:-2] * 200 + END
    with refuses("jpeg-scans-too-many", "image", "206", "100"):
        decode_radiograph(many, "image")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (imagecodecs.jpeg8_encode(drawn().astype(np.uint16), bitspersample=12), "JPEG file of 12"),
        (imagecodecs.jpegls_encode(drawn()), "JPEG-LS file of 8"),
    ],
)
def test_other_kinds_of_jpeg_are_named(data: bytes, words: str) -> None:
    with refuses("image-bits-unsupported", words):
        decode_radiograph(bytes(data), "image")


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)


def rows_of(values: NDArray[Any], *, interlaced: bool) -> list[bytes]:
    """The rows of a PNG, each with its filter, in the order of the file."""
    passes = ADAM7 if interlaced else ((0, 0, 1, 1),)
    parts = [values[top::down, left::across] for left, top, across, down in passes]
    return [
        b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for part in parts for row in part
    ]


def png(
    rows: list[bytes], values: NDArray[Any], kind: int, *, interlaced: bool = False, parts: int = 1
) -> bytes:
    """Writes a PNG by the letter of its standard, without an imaging library."""
    height, width = values.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 8 * values.itemsize, kind, 0, 0, interlaced)
    palette = chunk(b"PLTE", np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    packed = zlib.compress(b"".join(rows))
    step = -(-len(packed) // parts)
    body = b"".join(chunk(b"IDAT", packed[at : at + step]) for at in range(0, len(packed), step))
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
    return start + (palette if kind == 3 else b"") + body + chunk(b"IEND", b"")


KINDS: dict[str, Callable[[], tuple[NDArray[Any], int]]] = {
    "grey": lambda: (drawn(), 0),
    "16 bits": lambda: (drawn().astype(np.uint16) * 257, 0),
    "palette": lambda: (drawn(), 3),
    "colour": lambda: (drawn(3), 2),
    "16-bit colour": lambda: (drawn(3).astype(np.uint16) * 257, 2),
    "opacity": lambda: (np.dstack([drawn(), np.full((40, 56), 255, np.uint8)]), 4),
}


@pytest.mark.parametrize("parts", [1, 5])
@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_a_png_with_too_few_rows(kind: str, interlaced: bool, parts: int) -> None:  # noqa: FBT001 - a parameter
    values, colour_type = KINDS[kind]()
    rows = rows_of(values, interlaced=interlaced)
    whole = png(rows, values, colour_type, interlaced=interlaced, parts=parts)
    image = decode_radiograph(whole, "image")
    np.testing.assert_allclose(image.pixels, drawn() / 255, atol=1e-6)
    for keep in (1, len(rows) // 2, len(rows) - 1):
        short = png(rows[:keep], values, colour_type, interlaced=interlaced, parts=parts)
        with refuses("image-truncated"):
            decode_radiograph(short, "image")


def test_a_png_that_ends_in_black_rows_is_whole() -> None:
    values = drawn()
    values[20:] = 0
    for interlaced in (False, True):
        data = png(rows_of(values, interlaced=interlaced), values, 0, interlaced=interlaced)
        np.testing.assert_allclose(decode_radiograph(data, "image").pixels, values / 255, atol=1e-6)


def with_tag(data: bytes, tag: int, value: int) -> bytes:
    """A little-endian TIFF file whose one number of a tag is another."""
    start = struct.unpack_from("<I", data, 4)[0]
    changed = bytearray(data)
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", data, start)[0], 12):
        if struct.unpack_from("<H", data, at)[0] == tag:
            struct.pack_into("<HII", changed, at + 2, 4, 1, value)
    return bytes(changed)


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_deflate", "packbits", "jpeg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_a_tiff_whose_strip_ends_early(compression: str | None, channels: int) -> None:
    data = saved(drawn(channels), "TIFF", compression=compression)
    assert decode_radiograph(data, "image").facts.format == "TIFF"
    with Image.open(io.BytesIO(data)) as image:
        assert isinstance(image, TiffImageFile)
        (length,) = image.tag_v2[279]
    for keep in (0.5, 0.9):
        with refuses(DAMAGED, "image"):
            decode_radiograph(with_tag(data, 279, int(length * keep)), "image")


def test_a_tiff_that_lacks_strips() -> None:
    data = saved(drawn(), "TIFF")
    with refuses("image-truncated"):
        decode_radiograph(with_tag(data, 278, 8), "image")
    with refuses("image-truncated"):
        read_header(with_tag(data, 278, 8), "image")


@pytest.mark.parametrize("form", ["BMP", "WEBP"])
@pytest.mark.parametrize("keep", [0.4, 0.9])
def test_a_short_bmp_or_webp_is_noticed_without_decoding(form: str, keep: float) -> None:
    data = saved(drawn(), form)
    for read in (decode_radiograph, read_header):
        with refuses(DAMAGED, "image"):
            read(data[: int(len(data) * keep)], "image")


@pytest.mark.parametrize(
    "name", ["jpeg_cut50_eoi.jpg", "jpeg8_cut50_eoi.dcm", "png_short_rows.png"]
)
def test_the_files_of_the_field_are_refused(name: str) -> None:
    path = CASES / name
    if not path.exists():
        pytest.skip(f"{name} is not next to the project")
    with refuses("image-truncated"):
        decode_radiograph(path.read_bytes(), "image")


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.9, 0.98])
@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"restart_marker_rows": 1}])
def test_a_grey_jpeg_file_that_an_end_marker_hides_is_refused(
    keep: float, options: dict[str, Any]
) -> None:
    """At any cut before the last block, also where the image itself has the middle grey."""
    for last in (128, 40):
        image = np.random.default_rng(0).integers(0, 256, (48, 64), np.uint8)
        image[-16:, -16:] = last
        file = io.BytesIO()
        Image.fromarray(image).save(file, "JPEG", quality=95, **options)
        whole = file.getvalue()
        assert decode_radiograph(whole, "image").pixels.shape == (48, 64)
        cut = whole[: int(len(whole) * keep)].rstrip(b"\xff") + b"\xff\xd9"
        with refuses(DAMAGED, "image"):
            decode_radiograph(cut, "image")
