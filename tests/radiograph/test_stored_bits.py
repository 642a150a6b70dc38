"""Bits that are not the image's, and headers that disagree with the compressed image."""

import io
import re
from collections.abc import Callable
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from fixtures.refuses import refuses
from pulmo.radiograph import LIMITS, decode_radiograph
from pulmo.radiograph.dicom import parse_dicom
from pulmo.radiograph.dicom_pixels import stored_values
from pulmo.radiograph.stored_bits import SampleBits, image_bits

MakeDicom = Callable[..., bytes]

WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}


def drawn(bits: int, *, signed: bool = False) -> NDArray[Any]:
    """A smooth image that uses all bits: [48, 64], 16 bits each."""
    rows, columns = np.mgrid[:48, :64]
    grey = np.rint((np.sin(columns / 9) + np.cos(rows / 7) + 2) / 4 * (2**bits - 1))
    values: NDArray[Any] = (grey - (2 ** (bits - 1) if signed else 0)).astype(
        "i2" if signed else "u2"
    )
    return values


def overlaid(values: NDArray[Any], bit: int) -> NDArray[Any]:
    """The image with a cross in a bit that is not its own."""
    cross = np.zeros(values.shape, np.uint16)
    cross[10:30, 20:24] = cross[18:22, 10:34] = 1 << bit
    return ((values.view(np.uint16) & 0x0FFF) | cross).view(values.dtype)


ENCODERS: dict[UID, Callable[[NDArray[Any]], bytes]] = {
    JPEGLosslessSV1: lambda v: bytes(imagecodecs.jpeg8_encode(v, lossless=True, bitspersample=16)),
    JPEGLSLossless: lambda v: bytes(imagecodecs.jpegls_encode(v)),
    JPEG2000Lossless: lambda v: bytes(imagecodecs.jpeg2k_encode(v, 0, codecformat="j2k")),
}


def coded(dicom: MakeDicom, values: NDArray[Any], syntax: UID, tags: dict[str, object]) -> bytes:
    if syntax in {ExplicitVRLittleEndian, RLELossless}:
        return dicom(values, tags, syntax)
    frame = ENCODERS[syntax](values.view(np.uint16))
    return with_frame(dicom, values, frame, syntax, tags)


def with_frame(
    dicom: MakeDicom, values: NDArray[Any], frame: bytes, syntax: UID, tags: dict[str, object]
) -> bytes:
    dataset = dcmread(io.BytesIO(dicom(values, tags)))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    file = io.BytesIO()
    dataset.save_as(file)
    return file.getvalue()


def stored(data: bytes) -> tuple[NDArray[Any], list[str]]:
    values, notes = stored_values(parse_dicom(data, "image", LIMITS), "image")
    return values, [note.kind for note in notes]


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bit", [12, 15])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, *ENCODERS])
def test_an_overlay_above_the_values_is_masked_after_every_decoder(
    dicom: MakeDicom,
    syntax: UID,
    bit: int,
    signed: bool,  # noqa: FBT001 - a parameter
) -> None:
    values = drawn(12, signed=signed)
    tags: dict[str, object] = {"BitsStored": 12, "HighBit": 11, **WINDOW}
    found, kinds = stored(coded(dicom, overlaid(values, bit), syntax, tags))
    np.testing.assert_array_equal(found, values)
    assert kinds == ["bits-masked"]
    # Without the overlay nothing is removed, and nothing said.
    found, kinds = stored(coded(dicom, values, syntax, tags))
    np.testing.assert_array_equal(found, values)
    assert kinds == []


def test_the_note_reaches_the_facts(dicom: MakeDicom) -> None:
    data = coded(
        dicom, overlaid(drawn(12), 12), JPEGLSLossless, {"BitsStored": 12, "HighBit": 11, **WINDOW}
    )
    image = decode_radiograph(data, "image")
    assert [note.kind for note in image.facts.notes] == ["bits-masked"]
    np.testing.assert_allclose(image.pixels, drawn(12) / 4095, atol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, RLELossless, *ENCODERS])
def test_values_that_need_more_bits_than_are_stored_are_refused(
    dicom: MakeDicom, syntax: UID
) -> None:
    data = coded(dicom, drawn(14), syntax, {"BitsStored": 12, "HighBit": 11, **WINDOW})
    with refuses("dicom-bits-exceeded", "image", "12", "14"):
        decode_radiograph(data, "image")


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("stored", [8, 9, 10, 11])
def test_a_detailed_image_does_not_lose_its_upper_bits(stored: int, *, signed: bool) -> None:
    # Neighbours differ by more than half of what the lower bits can hold.
    rows, columns = np.mgrid[:96, :128]
    noise = np.random.default_rng(0).normal(0, 60, rows.shape)
    values = (2000 + 900 * np.sin(columns / 7) + 900 * np.cos(rows / 9) + noise).clip(0, 4095)
    bits = SampleBits(stored, stored, signed=signed)
    with refuses("dicom-bits-exceeded", stored):
        image_bits(values.astype(np.uint16), 16, bits, "image")


def test_values_a_little_beyond_the_bits_stored_are_cut(dicom: MakeDicom) -> None:
    values = np.minimum(drawn(12) + 300, 4095).astype(np.uint16)
    frame = bytes(imagecodecs.jpegls_encode(values, level=3))
    assert imagecodecs.jpegls_decode(frame).max() > 4095
    tags: dict[str, object] = {"BitsStored": 12, "HighBit": 11, **WINDOW}
    image = decode_radiograph(with_frame(dicom, values, frame, JPEGLSNearLossless, tags), "image")
    np.testing.assert_allclose(image.pixels, values / 4095, atol=3.5 / 4095)
    assert [note.kind for note in image.facts.notes] == ["bits-differ"]


def test_unsigned_values_that_are_said_to_be_signed_are_noted() -> None:
    bits = SampleBits(12, 12, signed=True)
    kinds = [
        [note.kind for note in image_bits(values.view(np.uint16), 16, bits, "image")[1]]
        for values in (drawn(12), drawn(12, signed=True))
    ]
    assert kinds == [["contradiction"], []]


def test_noise_above_the_values_is_masked() -> None:
    values = drawn(12)
    noise = np.random.default_rng(0).integers(0, 16, values.shape, np.uint16) << 12
    found, notes = image_bits(values | noise, 16, SampleBits(12, 12, signed=False), "image")
    np.testing.assert_array_equal(found, values)
    assert [note.kind for note in notes] == ["bits-masked"]


def test_a_sign_that_runs_on_into_the_upper_bits_is_no_foreign_bit() -> None:
    values = drawn(12, signed=True)
    bits = SampleBits(12, 12, signed=True)
    for given in (values, (values.view(np.uint16) & 0x0FFF).view(np.int16)):
        found, notes = image_bits(given, 16, bits, "image")
        np.testing.assert_array_equal(found, values)
        assert notes == ()


def test_a_high_bit_that_no_value_reaches_is_noted() -> None:
    found, notes = image_bits(drawn(12), 16, SampleBits(12, 16, signed=False), "image")
    np.testing.assert_array_equal(found, drawn(12) >> 4)
    assert [note.kind for note in notes] == ["bits-masked", "contradiction"]


def test_bits_below_the_values_are_dropped_with_a_note() -> None:
    values = drawn(12)
    found, notes = image_bits(values << 3 | 5, 16, SampleBits(12, 15, signed=False), "image")
    np.testing.assert_array_equal(found, values)
    assert [note.kind for note in notes] == ["bits-masked"]


def jpeg(values: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(values).save(file, "JPEG", quality=98)
    return file.getvalue()


def test_jpeg_of_8_bits_under_a_header_of_12(dicom: MakeDicom) -> None:
    values = drawn(8)
    tags: dict[str, object] = {"BitsStored": 12, "HighBit": 11}
    frame = jpeg(values.astype(np.uint8))
    fitting = with_frame(
        dicom, values, frame, JPEGBaseline8Bit, {**tags, "WindowCenter": 128, "WindowWidth": 256}
    )
    image = decode_radiograph(fitting, "image")
    np.testing.assert_allclose(image.pixels, values / 255, atol=3 / 255)
    assert [note.kind for note in image.facts.notes] == ["bits-differ"]
    assert re.search(r" 8 bits .* 12;", image.facts.notes[0].text)
    # Its window is one of 12 bits: nobody knows whether the values were scaled.
    for data in (
        with_frame(dicom, values, frame, JPEGBaseline8Bit, {**tags, **WINDOW}),
        with_frame(dicom, values, frame, JPEGExtended12Bit, {**tags, **WINDOW}),
    ):
        with refuses("dicom-bits-exceeded", "image", "8", "12"):
            decode_radiograph(data, "image")


@pytest.mark.parametrize(
    ("coded_bits", "stored_bits"), [(6, 8), (7, 8), (6, 16), (8, 12), (12, 16)]
)
def test_fewer_bits_in_the_image_than_in_the_header(
    dicom: MakeDicom, coded_bits: int, stored_bits: int
) -> None:
    values = drawn(coded_bits).astype(np.uint8 if stored_bits == 8 else np.uint16)
    small = values.astype(np.uint8 if coded_bits <= 8 else np.uint16)
    frame = bytes(imagecodecs.jpeg8_encode(small, lossless=True, bitspersample=coded_bits))
    tags: dict[str, object] = {"BitsStored": stored_bits, "HighBit": stored_bits - 1}
    found, kinds = stored(with_frame(dicom, values, frame, JPEGLosslessSV1, tags))
    np.testing.assert_array_equal(found, values)
    assert kinds == ["bits-differ"]


def test_more_bits_in_the_image_than_in_the_header(dicom: MakeDicom) -> None:
    tags: dict[str, object] = {"BitsStored": 8, "HighBit": 7}
    for used, syntax in ((8, JPEGLosslessSV1), (12, JPEGLosslessSV1), (12, JPEG2000Lossless)):
        values = drawn(used)
        if syntax == JPEGLosslessSV1:
            frame = imagecodecs.jpeg8_encode(values, lossless=True, bitspersample=12)
        else:
            frame = imagecodecs.jpeg2k_encode(values, 0, codecformat="j2k", bitspersample=12)
        data = with_frame(dicom, values, bytes(frame), syntax, tags)
        if used == 8:
            found, kinds = stored(data)
            np.testing.assert_array_equal(found, values)
            assert kinds == ["bits-differ"]
        else:
            with refuses("dicom-bits-exceeded", "image", "8", "12"):
                decode_radiograph(data, "image")


def test_a_sign_of_fewer_bits_than_the_header_has_is_not_guessed(dicom: MakeDicom) -> None:
    values = drawn(10)
    frame = bytes(imagecodecs.jpeg8_encode(values, lossless=True, bitspersample=10))
    tags: dict[str, object] = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 1}
    with refuses("dicom-bits-exceeded", "image", "10", "12"):
        decode_radiograph(with_frame(dicom, values, frame, JPEGLosslessSV1, tags), "image")


def test_negative_values_under_an_unsigned_header_are_noted(dicom: MakeDicom) -> None:
    values = drawn(12, signed=True)
    frame = bytes(imagecodecs.jpeg2k_encode(values, 0, codecformat="j2k", bitspersample=12))
    tags: dict[str, object] = {"BitsStored": 12, "HighBit": 11, "PixelRepresentation": 0}
    _, kinds = stored(with_frame(dicom, values, frame, JPEG2000Lossless, tags))
    assert kinds == ["contradiction"]


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ({"PixelRepresentation": 2}, "dicom-sign-unknown"),
        ({"HighBit": 5}, "dicom-bits-contradict"),
        ({"BitsStored": 0, "HighBit": 7}, "dicom-bits-contradict"),
    ],
)
def test_a_header_without_a_meaning_names_what_is_wrong(tags: dict[str, int], code: str) -> None:
    dataset = Dataset()
    for keyword, value in {"BitsStored": 8, "PixelRepresentation": 0, **tags}.items():
        setattr(dataset, keyword, value)
    with refuses(code, "image"):
        SampleBits.of(dataset, "image")
