"""Lookup tables whose descriptor and entries contradict each other, and palettes."""

from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.pixels.processing import apply_color_lut
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from fixtures.refuses import refuses
from pulmo.radiograph import Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]
TWELVE = {"BitsStored": 12, "HighBit": 11}
COLOURS = ("Red", "Green", "Blue")
SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian]


def kinds(image: Radiograph) -> list[str]:
    return [note.kind for note in image.facts.notes]


def written(values: NDArray[Any], syntax: UID) -> bytes:
    """16-bit words in the order of the file."""
    return values.astype(">u2" if syntax == ExplicitVRBigEndian else "<u2").tobytes()


def lut(
    entries: NDArray[Any], bits: int, first: int = 0, syntax: UID = ExplicitVRLittleEndian
) -> Dataset:
    item = Dataset()
    kind = "SS" if first < 0 else "US"
    item.add(DataElement("LUTDescriptor", kind, [len(entries) % 65536, first, bits]))
    item.add(DataElement("LUTData", "OW", written(entries, syntax)))
    return item


def plain(stored: NDArray[np.uint16], syntax: UID) -> dict[str, object]:
    return {**TWELVE, "PixelData": written(stored, syntax)}


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("stated", "used"), [(16, 12), (16, 10), (16, 15), (12, 10), (8, 12)])
def test_the_range_of_a_voi_table_is_that_of_its_entries(
    dicom: MakeDicom, twelve: NDArray[np.uint16], stated: int, used: int, syntax: UID
) -> None:
    entries = np.rint(np.linspace(0, 2**used - 1, 4096)).astype(np.uint16)
    tags = plain(twelve, syntax)
    right = decode_radiograph(
        dicom(twelve, {**tags, "VOILUTSequence": [lut(entries, used, syntax=syntax)]}, syntax), "a"
    )
    image = decode_radiograph(
        dicom(twelve, {**tags, "VOILUTSequence": [lut(entries, stated, syntax=syntax)]}, syntax),
        "b",
    )
    np.testing.assert_array_equal(image.pixels, right.pixels)
    np.testing.assert_allclose(image.pixels, entries[twelve] / (2**used - 1), atol=1e-6)
    assert (kinds(right), kinds(image)) == ([], ["table-range"])


def test_a_modality_table_of_eight_bits_that_says_sixteen(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    entries = (np.arange(4096) // 32).astype(np.uint16) + 64
    image = decode_radiograph(
        dicom(twelve, {**TWELVE, "ModalityLUTSequence": [lut(entries, 16)]}), "image"
    )
    # Values of 8 bits keep their full range.
    np.testing.assert_allclose(image.pixels, entries[twelve] / 255, atol=1e-6)
    assert kinds(image) == ["table-range"]


def test_a_modality_table_of_one_value_is_named(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    table = lut(np.full(4096, 9, np.uint16), 12)
    with refuses("dicom-table-constant", "Modality LUT"):
        decode_radiograph(dicom(twelve, {**TWELVE, "ModalityLUTSequence": [table]}), "image")


def test_a_voi_table_of_one_value_counts_as_none(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    table = lut(np.full(4096, 4095, np.uint16), 12)
    image = decode_radiograph(dicom(twelve, {**TWELVE, "VOILUTSequence": [table]}), "image")
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert kinds(image) == ["window-unusable", "own-range"]


@pytest.mark.parametrize("syntax", SYNTAXES)
def test_the_first_input_of_a_voi_table_has_the_sign_of_the_modality_output(
    dicom: MakeDicom, twelve: NDArray[np.uint16], syntax: UID
) -> None:
    # Stored values are unsigned; rescaled they begin at -1024.
    entries = np.arange(4096, dtype=np.uint16)
    tags = {
        **plain(twelve, syntax),
        "RescaleSlope": 1,
        "RescaleIntercept": -1024,
        "VOILUTSequence": [lut(entries, 12, -1024, syntax)],
    }
    image = decode_radiograph(dicom(twelve, tags, syntax), "image")
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)


def test_an_empty_item_before_a_table_is_passed_over(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    table = lut(np.arange(4096, dtype=np.uint16)[::-1], 12)
    tags = {**TWELVE, "VOILUTSequence": [Dataset(), table], "ModalityLUTSequence": [Dataset()]}
    image = decode_radiograph(dicom(twelve, tags), "image")
    np.testing.assert_allclose(image.pixels, 1 - twelve / 4095, atol=1e-6)
    assert kinds(image) == ["value-unusable", "value-unusable"]


def palette(
    entries: NDArray[np.uint16], bits: int, syntax: UID = ExplicitVRLittleEndian
) -> dict[str, object]:
    """The elements of a grey palette of 256 entries."""
    tags: dict[str, object] = {"PhotometricInterpretation": "PALETTE COLOR"}
    for colour in COLOURS:
        name = f"{colour}PaletteColorLookupTable"
        tags[f"{name}Descriptor"] = DataElement(f"{name}Descriptor", "US", [256, 0, bits])
        tags[f"{name}Data"] = DataElement(f"{name}Data", "OW", written(entries, syntax))
    return tags


def indexed(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object], syntax: UID
) -> bytes:
    """A file of indices of 16 bits, whose order of bytes the pixel data show."""
    return dicom(grey.astype(np.uint16), {**tags, "PixelData": written(grey, syntax)}, syntax)


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize(("stated", "used"), [(16, 16), (16, 12), (12, 12), (16, 8), (8, 8)])
def test_palettes_of_all_depths(
    dicom: MakeDicom, grey: NDArray[np.uint8], stated: int, used: int, syntax: UID
) -> None:
    entries = np.rint(np.linspace(0, 1, 256) ** 2 * (2**used - 1)).astype(np.uint16)
    image = decode_radiograph(
        indexed(dicom, grey, palette(entries, stated, syntax), syntax), "image"
    )
    np.testing.assert_allclose(image.pixels, entries[grey] / (2**used - 1), atol=1e-6)
    assert kinds(image) == ([] if stated == used else ["table-range"])


def test_a_palette_agrees_with_pydicom(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    entries = (np.arange(256) * 257 ^ 0x1234).astype(np.uint16)
    entries[7] = 65535
    data = dicom(grey, palette(entries, 16))
    theirs = apply_color_lut(grey, dcmread(BytesIO(data)))
    image = decode_radiograph(data, "image")
    np.testing.assert_allclose(image.pixels, theirs[..., 0] / 65535, atol=1e-6)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_a_palette_in_segments(
    dicom: MakeDicom, grey: NDArray[np.uint8], bits: int, syntax: UID
) -> None:
    # One discrete entry, then a straight line of 255 to the top (PS3.3 C.7.9.2).
    segments = np.array([0, 1, 0, 1, 255, 2**bits - 1], np.uint16)
    packed = segments.astype(np.uint8).view("<u2") if bits == 8 else segments
    tags = palette(segments, bits, syntax)
    for colour in COLOURS:
        data = f"{colour}PaletteColorLookupTableData"
        name = f"Segmented{data}"
        tags[data] = DataElement(name, "OW", written(packed, syntax))
    image = decode_radiograph(indexed(dicom, grey, tags, syntax), "image")
    np.testing.assert_allclose(image.pixels, grey / 255, atol=1 / 2**bits)


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_entries_that_are_single_bytes_have_no_order(
    dicom: MakeDicom, grey: NDArray[np.uint8], syntax: UID
) -> None:
    entries = np.arange(255, -1, -1, dtype=np.uint8)
    tags = palette(entries.astype(np.uint16), 8, syntax)
    for colour in COLOURS:
        name = f"{colour}PaletteColorLookupTableData"
        tags[name] = DataElement(name, "OB", entries.tobytes())
    image = decode_radiograph(indexed(dicom, grey, tags, syntax), "image")
    np.testing.assert_allclose(image.pixels, 1 - grey / 255, atol=1e-6)


def test_a_palette_without_data_is_named(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    data = dicom(grey, {"PhotometricInterpretation": "PALETTE COLOR"})
    with refuses("dicom-table-incomplete", "image", "palette", "Red Palette"):
        decode_radiograph(data, "image")
