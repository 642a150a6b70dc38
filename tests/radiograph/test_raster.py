import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fixtures.refuses import DAMAGED, refuses
from pulmo.radiograph.facts import Facts
from pulmo.radiograph.notes import Note
from pulmo.radiograph.radiograph import Radiograph, decode_radiograph
from pulmo.radiograph.raster import oriented


def saved(image: Image.Image, form: str, **options: Any) -> bytes:  # noqa: ANN401 - Pillow's
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    samples: NDArray[Any], colour_type: int, bits: int, chunks: bytes = b"", width: int = 0
) -> bytes:
    """Writes a PNG by the letter of its standard, without an imaging library."""
    rows = samples.reshape(len(samples), -1).astype(f">u{max(bits, 8) // 8}")
    header = struct.pack(">IIBB3x", width or samples.shape[1], len(rows), bits, colour_type)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    parts = chunk(b"IHDR", header) + chunks + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


def decoded(data: bytes) -> Radiograph:
    radiograph = decode_radiograph(data, "image")
    assert radiograph.pixels.dtype == np.float32
    assert radiograph.pixels.flags.c_contiguous
    return radiograph


def test_eight_bit_grey(grey: NDArray[np.uint8]) -> None:
    image = decoded(saved(Image.fromarray(grey), "PNG"))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-7)
    assert image.facts == Facts("PNG", 8)


def test_all_sixteen_bit_values(ramp: NDArray[np.uint16]) -> None:
    image = decoded(png(ramp, 0, 16))
    np.testing.assert_allclose(image.pixels, ramp / 65535, rtol=1e-7)
    assert len(np.unique(image.pixels)) == 65536
    assert image.facts.bits == 16


def test_a_png_of_twelve_significant_bits_is_not_rescaled(ramp: NDArray[np.uint16]) -> None:
    # The encoder has scaled 12 bits to 16 already; sBIT only tells that it did.
    image = decoded(png(ramp, 0, 16, chunk(b"sBIT", b"\x0c")))
    np.testing.assert_allclose(image.pixels, ramp / 65535, rtol=1e-7)


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_sixteen_bit_png_of_several_channels_keeps_its_bits(
    ramp: NDArray[np.uint16], channels: int
) -> None:
    samples = np.repeat(ramp[..., None], channels, axis=2)
    if channels in {2, 4}:
        samples[..., -1] = 65535
    image = decoded(png(samples, {2: 4, 3: 2, 4: 6}[channels], 16))
    np.testing.assert_allclose(image.pixels, ramp / 65535, rtol=1e-6)
    assert image.facts.notes == ()


def test_sixteen_bit_opacity_is_laid_on_black(ramp: NDArray[np.uint16]) -> None:
    samples = np.dstack([ramp, ramp.T])
    image = decoded(png(samples, 4, 16))
    np.testing.assert_allclose(image.pixels, (ramp / 65535) * (ramp.T / 65535), atol=1e-6)
    assert image.facts.notes == (Note("transparency", "Transparent parts were made black."),)


def test_a_transparent_value_of_sixteen_bits_is_black(ramp: NDArray[np.uint16]) -> None:
    image = decoded(png(ramp, 0, 16, chunk(b"tRNS", b"\xff\xff")))
    expected = np.where(ramp == 65535, 0, ramp / 65535)
    np.testing.assert_allclose(image.pixels, expected, rtol=1e-6)
    assert image.facts.notes == (Note("transparency", "Transparent parts were made black."),)


def test_sixteen_bit_colours_become_luma(ramp: NDArray[np.uint16]) -> None:
    samples = np.rint(ramp[..., None] * [0.9, 0.95, 1]).astype(np.uint16)
    image = decoded(png(samples, 2, 16))
    np.testing.assert_allclose(image.pixels, samples @ [0.299, 0.587, 0.114] / 65535, atol=1e-6)


@pytest.mark.parametrize(("bits", "top"), [(1, 1), (2, 3), (4, 15)])
def test_shallow_png(bits: int, top: int) -> None:
    packed = np.tile(np.array([0b00011011, 0b11100100], np.uint8), (16, 8))
    values = np.unpackbits(packed, axis=1).reshape(16, -1, bits) @ (2 ** np.arange(bits)[::-1])
    image = decoded(png(packed, 0, bits, width=values.shape[1]))
    np.testing.assert_allclose(image.pixels, values / top, atol=1e-7)
    assert image.facts.bits == bits


def test_a_grey_palette_is_looked_up(grey: NDArray[np.uint8]) -> None:
    palette = chunk(b"PLTE", np.repeat(np.arange(256, dtype=np.uint8)[::-1], 3).tobytes())
    image = decoded(png(grey, 3, 8, palette))
    np.testing.assert_allclose(image.pixels, 1 - grey / 255, atol=1e-6)


def test_a_transparent_palette_entry_is_black(grey: NDArray[np.uint8]) -> None:
    palette = chunk(b"PLTE", np.repeat(np.arange(256, dtype=np.uint8), 3).tobytes())
    transparent = chunk(b"tRNS", b"\xff" * 100 + b"\0")
    image = decoded(png(grey, 3, 8, palette + transparent))
    np.testing.assert_allclose(image.pixels, np.where(grey == 100, 0, grey / 255), atol=1e-6)


def test_opacity_is_laid_on_black(grey: NDArray[np.uint8]) -> None:
    image = decoded(saved(Image.fromarray(np.dstack([grey, grey[::-1]]), "LA"), "PNG"))
    np.testing.assert_allclose(image.pixels, (grey / 255) * (grey[::-1] / 255), atol=1e-6)
    assert image.facts.notes == (Note("transparency", "Transparent parts were made black."),)


def test_full_opacity_is_dropped_without_a_note(grey: NDArray[np.uint8]) -> None:
    image = decoded(saved(Image.fromarray(grey).convert("RGBA"), "PNG"))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1e-7)
    assert image.facts.notes == ()


def test_jpeg(grey: NDArray[np.uint8]) -> None:
    image = decoded(saved(Image.fromarray(grey), "JPEG", quality=100))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=0.01)
    assert image.facts.format == "JPEG"


def test_grey_cmyk_jpeg(grey: NDArray[np.uint8]) -> None:
    ink = np.zeros((*grey.shape, 4), np.uint8)
    ink[..., 3] = 255 - grey
    image = decoded(saved(Image.fromarray(ink, "CMYK"), "JPEG", quality=100))
    np.testing.assert_allclose(image.pixels, grey / 255, atol=0.02)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_exif_is_applied(
    grey: NDArray[np.uint8], form: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[274] = orientation
    data = saved(Image.fromarray(grey), form, exif=exif)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image))
    np.testing.assert_allclose(decoded(data).pixels, expected / 255, atol=1e-6)


@pytest.mark.parametrize("orientation", [0, 9, "6"])
def test_an_orientation_that_does_not_exist_changes_nothing(orientation: int) -> None:
    pixels = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(oriented(pixels, orientation), pixels)


def test_a_colour_photograph_is_refused() -> None:
    colour = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    with refuses("image-colour", "image"):
        decoded(saved(Image.fromarray(colour), "JPEG"))


@pytest.mark.parametrize(("form", "options"), [("PNG", {}), ("TIFF", {}), ("MPO", {})])
def test_several_images_are_refused(
    grey: NDArray[np.uint8], form: str, options: dict[str, Any]
) -> None:
    first, second = Image.fromarray(grey), Image.fromarray(255 - grey)
    data = saved(first, form, save_all=True, append_images=[second], **options)
    with refuses("image-several", "image"):
        decoded(data)


@pytest.mark.parametrize("side", [8_001, 10_000, 100_000, 2**31 - 1])
def test_a_huge_image_is_refused_by_its_header(side: int) -> None:
    header = struct.pack(">IIBB3x", side, side, 8, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
    with refuses("image-too-large", "image"):
        decoded(data)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("keep", [0.05, 0.3, 0.6, 0.9, 0.999])
def test_truncated_files_are_damaged(form: str, keep: float) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    data = saved(Image.fromarray(noise), form)
    with refuses(DAMAGED, "image"):
        decoded(data[: int(len(data) * keep)])


def test_a_png_without_its_end_is_truncated(grey: NDArray[np.uint8]) -> None:
    with refuses("image-truncated", "image"):
        decoded(saved(Image.fromarray(grey), "PNG")[:-2])


def test_sixteen_bits_that_opencv_cannot_decode(
    ramp: NDArray[np.uint16], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cv2.imdecode", lambda *_: None)
    with refuses("image-bits-lost", "image"):
        decoded(png(np.dstack([ramp] * 3), 2, 16))
