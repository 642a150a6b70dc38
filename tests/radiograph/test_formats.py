"""Formats other than PNG, JPEG, TIFF and DICOM: read, or named as what they are."""

import gzip
import io
import struct
import zipfile
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fixtures.refuses import refuses
from pulmo.radiograph import decode_radiograph
from pulmo.radiograph.header import read_header


def drawn(bits: int = 8) -> NDArray[Any]:
    """A smooth image that uses all bits: [40, 56]."""
    rows, columns = np.mgrid[:40, :56]
    grey = np.rint((np.sin(columns / 9) + np.cos(rows / 7) + 2) / 4 * (2**bits - 1))
    values: NDArray[Any] = grey.astype(np.uint8 if bits <= 8 else np.uint16)
    return values


def saved(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def grey() -> Image.Image:
    return Image.fromarray(drawn())


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA"])
def test_bmp(mode: str) -> None:
    data = saved(grey().convert(mode), "BMP")
    image = decode_radiograph(data, "image")
    np.testing.assert_allclose(image.pixels, drawn() / 255, atol=1e-6)
    assert image.facts[:2] == ("BMP", 8)
    header = read_header(data, "image")
    assert (header.height, header.width, header.facts) == (40, 56, image.facts)


def test_bmp_of_one_bit() -> None:
    mask = Image.fromarray(drawn() > 100)
    image = decode_radiograph(saved(mask, "BMP"), "image")
    np.testing.assert_array_equal(image.pixels, drawn() > 100)
    assert image.facts.bits == 1


def test_webp() -> None:
    image = decode_radiograph(saved(grey(), "WEBP", lossless=True), "image")
    np.testing.assert_allclose(image.pixels, drawn() / 255, atol=1e-6)
    assert image.facts[:2] == ("WebP", 8)
    lossy = decode_radiograph(saved(grey(), "WEBP", quality=95), "image")
    np.testing.assert_allclose(lossy.pixels, drawn() / 255, atol=6 / 255)


def test_webp_is_turned_and_its_opacity_laid_on_black() -> None:
    exif = Image.Exif()
    exif[274] = 6
    data = saved(grey(), "WEBP", lossless=True, exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened).convert("L"))
    np.testing.assert_allclose(decode_radiograph(data, "image").pixels, expected / 255, atol=1e-6)
    assert (read_header(data, "image").height, read_header(data, "image").width) == (56, 40)
    opaque = Image.merge("LA", [grey(), ImageOps.flip(grey())]).convert("RGBA")
    image = decode_radiograph(saved(opaque, "WEBP", lossless=True, exact=True), "image")
    np.testing.assert_allclose(image.pixels, drawn() / 255 * (drawn()[::-1] / 255), atol=1e-6)
    assert [note.kind for note in image.facts.notes] == ["transparency"]


def test_a_moving_webp_is_refused() -> None:
    data = saved(grey(), "WEBP", save_all=True, append_images=[ImageOps.invert(grey())])
    with refuses("image-several", "image"):
        decode_radiograph(data, "image")


@pytest.mark.parametrize("bits", [8, 16])
def test_big_tiff(bits: int) -> None:
    data = saved(Image.fromarray(drawn(bits)), "TIFF", big_tiff=True)
    assert data[:4] == b"II+\0"
    image = decode_radiograph(data, "image")
    np.testing.assert_allclose(image.pixels, drawn(bits) / (2**bits - 1), atol=1e-6)
    assert image.facts[:2] == ("TIFF", bits)
    assert read_header(data, "image").height == 40
    with refuses("image-truncated"):
        decode_radiograph(data[:-500], "image")


def test_big_tiff_counted_from_white() -> None:
    data = saved(Image.fromarray(drawn(16)), "TIFF", big_tiff=True)
    entry = struct.pack("<HHQ", 262, 3, 1)
    from_white = data.replace(entry + b"\1\0", entry + b"\0\0")
    assert from_white != data
    image = decode_radiograph(from_white, "image")
    np.testing.assert_allclose(image.pixels, 1 - drawn(16) / 65535, atol=1e-6)


@pytest.mark.parametrize("codec", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_jpeg_2000(codec: str, bits: int) -> None:
    frame = imagecodecs.jpeg2k_encode(drawn(bits), 0, codecformat=codec, bitspersample=bits)
    image = decode_radiograph(bytes(frame), "image")
    np.testing.assert_allclose(image.pixels, drawn(bits) / (2**bits - 1), atol=1e-6)
    assert image.facts[:2] == ("JPEG 2000", bits)
    header = read_header(bytes(frame), "image")
    assert (header.height, header.width, header.facts) == (40, 56, image.facts)
    with refuses("image-truncated", "image"):
        decode_radiograph(bytes(frame)[: len(frame) * 2 // 3] + b"\xff\xd9", "image")


def test_jpeg_2000_in_grey_colours() -> None:
    data = saved(grey().convert("RGB"), "JPEG2000", irreversible=False)
    np.testing.assert_allclose(decode_radiograph(data, "image").pixels, drawn() / 255, atol=1e-6)


def test_jpeg_2000_of_other_kinds_is_refused() -> None:
    data = saved(grey().convert("RGB"), "JPEG2000")
    ycc = data.replace(struct.pack(">BBBI", 1, 0, 0, 16), struct.pack(">BBBI", 1, 0, 0, 18))
    assert ycc != data
    with refuses("colour-space-unsupported", "image"):
        decode_radiograph(ycc, "image")
    with refuses("image-bits-unsupported", "image"):
        decode_radiograph(saved(grey().convert("RGBA"), "JPEG2000"), "image")
    huge = bytearray(saved(grey(), "JPEG2000", no_jp2=True))
    struct.pack_into(">II", huge, 8, 60_000, 60_000)
    with refuses("image-too-large", "64,000,000"):
        decode_radiograph(bytes(huge), "image")


def zipped() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", "b")
    return file.getvalue()


def array_file() -> bytes:
    file = io.BytesIO()
    np.save(file, drawn())
    return file.getvalue()


NAMED = {
    "GIF": saved(grey(), "GIF"),
    "HEIC": b"\0\0\0\x18ftypheic" + bytes(40),
    "AVIF": b"\0\0\0\x1cftypavif" + bytes(40),
    "JPEG XL": b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40),
    "PDF": b"%PDF-1.7\n",
    "ZIP": zipped(),
    "gzip": gzip.compress(b"text"),
    "NIfTI": struct.pack("<I", 348) + bytes(340) + b"n+1\0",
    "NumPy": array_file(),
    "HDF5": b"\x89HDF\r\n\x1a\n" + bytes(40),
    "HTML": b"\n<!DOCTYPE html><html>",
    "XML": b"\xef\xbb\xbf<?xml version='1.0'?>",
    "Git LFS": b"version https://git-lfs.github.com/spec/v1\n",
    "zeros": bytes(2000),
}


@pytest.mark.parametrize("name", NAMED)
def test_what_is_not_read_is_named(name: str) -> None:
    for read in (decode_radiograph, read_header):
        with refuses("image-format-unknown", name) as raised:
            read(NAMED[name], "image")
        assert "DICOM file was expected" in str(raised.value)


@pytest.mark.parametrize(
    "data", [b"BM is how this text begins", b"RIFF    WAVEfmt ", b"GIF", b"PK"]
)
def test_what_only_looks_alike_is_not_named(data: bytes) -> None:
    with refuses("image-format-unknown", "image", "PNG"):
        decode_radiograph(data, "image")
