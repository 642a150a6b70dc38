import io
import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fixtures.refuses import refuses
from pulmo.radiograph.radiograph import decode_radiograph

ORDERS = ["<", ">"]


def tiff(
    samples: NDArray[Any], order: str, photometric: int, extra: dict[int, int] | None = None
) -> bytes:
    """Writes an uncompressed TIFF by the letter of its standard, without an imaging library."""
    height, width, channels = (*samples.shape, 1)[:3]
    data = samples.astype(samples.dtype.str.replace("<", order)).tobytes()
    kinds = {"u": 1, "i": 2, "f": 3}
    # Eight bytes of header, the directory, three numbers of bits, the image.
    start = 8 + 2 + 12 * len({*range(10), *(extra or {})} - {256, 258}) + 4 + 6
    tags = {
        256: width,
        257: height,
        258: samples.dtype.itemsize * 8,
        259: 1,
        262: photometric,
        273: start,
        277: channels,
        278: height,
        279: len(data),
        339: kinds[samples.dtype.kind],
    } | (extra or {})
    bits = struct.pack(f"{order}3H", *[tags[258]] * 3)
    directory = struct.pack(f"{order}H", len(tags))
    for tag, value in sorted(tags.items()):
        if tag == 258 and channels == 3:
            directory += struct.pack(f"{order}HHII", tag, 3, 3, start - 6)
        elif tag in {258, 259, 262, 274, 277, 339}:
            directory += struct.pack(f"{order}HHIHxx", tag, 3, 1, value)
        else:
            directory += struct.pack(f"{order}HHII", tag, 4, 1, value)
    head = struct.pack(f"{order}2sHI", b"II" if order == "<" else b"MM", 42, 8)
    return head + directory + struct.pack(f"{order}I", 0) + bits + data


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [8, 16])
def test_grey_counted_from_white_or_from_black(
    ramp: NDArray[np.uint16], order: str, photometric: int, bits: int
) -> None:
    samples = ramp if bits == 16 else ramp.astype(np.uint8)
    image = decode_radiograph(tiff(samples, order, photometric), "image")
    scaled = samples / (2**bits - 1)
    np.testing.assert_allclose(image.pixels, scaled if photometric else 1 - scaled, atol=1e-6)
    assert image.facts[:2] == ("TIFF", bits)


@pytest.mark.parametrize("photometric", [0, 1])
def test_one_bit(photometric: int) -> None:
    packed = np.tile(np.array([0b00011011, 0b11100100], np.uint8), (16, 2))
    image = decode_radiograph(tiff(packed, "<", photometric, {256: 32, 258: 1}), "image")
    values = np.unpackbits(packed, axis=1)
    np.testing.assert_array_equal(image.pixels, values if photometric else 1 - values)


@pytest.mark.parametrize("order", ORDERS)
def test_sixteen_bit_colour_keeps_its_bits(ramp: NDArray[np.uint16], order: str) -> None:
    image = decode_radiograph(tiff(np.dstack([ramp] * 3), order, 2), "image")
    np.testing.assert_allclose(image.pixels, ramp / 65535, atol=1e-7)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_sixteen_bits_are_turned(grey: NDArray[np.uint8], orientation: int, channels: int) -> None:
    deep = np.dstack([grey.astype(np.uint16) * 257] * channels).squeeze()
    data = tiff(deep, "<", 2 if channels == 3 else 1, {274: orientation})
    image = decode_radiograph(data, "image")
    exif = Image.Exif()
    exif[274] = orientation
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG", exif=exif)
    with Image.open(file) as opened:
        expected = np.asarray(ImageOps.exif_transpose(opened))
    np.testing.assert_allclose(image.pixels, expected / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("f4", "32-bit floating-point"),
        ("f8", "64-bit floating-point"),
        ("i1", "8-bit signed"),
        ("i2", "16-bit signed"),
        ("i4", "32-bit signed"),
        ("u4", "32-bit unsigned"),
    ],
)
@pytest.mark.parametrize("order", ORDERS)
def test_other_samples_are_refused_by_name(
    grey: NDArray[np.uint8], dtype: str, words: str, order: str
) -> None:
    with refuses("image-bits-unsupported", words):
        decode_radiograph(tiff(grey.astype(dtype), order, 1), "image")


def test_sixteen_bits_of_two_channels_are_refused(grey: NDArray[np.uint8]) -> None:
    samples = np.dstack([grey, grey]).astype(np.uint16)
    with refuses("image-channels-unsupported", "2"):
        decode_radiograph(tiff(samples, "<", 1), "image")


def test_a_colour_space_without_a_grey_is_refused(grey: NDArray[np.uint8]) -> None:
    file = io.BytesIO()
    Image.fromarray(np.dstack([grey] * 3), "LAB").save(file, "TIFF")
    with refuses("image-mode-unsupported", "image", "LAB"):
        decode_radiograph(file.getvalue(), "image")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("photometric", [0, 1])
def test_a_truncated_image_is_damaged(
    ramp: NDArray[np.uint16], order: str, photometric: int
) -> None:
    with refuses("image-truncated"):
        decode_radiograph(tiff(ramp, order, photometric)[:-1000], "image")


def test_a_photometric_tag_of_an_odd_type_is_left_alone(grey: NDArray[np.uint8]) -> None:
    data = tiff(grey.astype(np.uint16) * 257, "<", 0)
    odd = data.replace(struct.pack("<HHI", 262, 3, 1), struct.pack("<HHI", 262, 4, 1))
    image = decode_radiograph(odd, "image")
    np.testing.assert_allclose(image.pixels, 1 - grey / 255, atol=1e-6)
