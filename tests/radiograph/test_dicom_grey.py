import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset, dcmread
from pydicom.dataelem import DataElement
from pydicom.pixels.processing import apply_modality_lut, apply_windowing
from pydicom.uid import (
    UID,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
)

from fixtures.dicom_files import decoded
from fixtures.refuses import refuses
from pulmo.radiograph import Radiograph
from pulmo.radiograph.notes import Note

MakeDicom = Callable[..., bytes]

WINDOW = {"WindowCenter": 2048, "WindowWidth": 4096}


def table(entries: NDArray[Any], first: int, bits: int, *, words: bool) -> Dataset:
    """A lookup table whose data are numbers, or else bytes."""
    item = Dataset()
    item.add(DataElement("LUTDescriptor", "US", [len(entries) % 65536, first % 65536, bits]))
    data = entries.tolist() if words else entries.tobytes()
    item.add(DataElement("LUTData", "US" if words else "OW", data))
    return item


def test_a_window(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    image = decoded(dicom(twelve, {"BitsStored": 12, "HighBit": 11, **WINDOW}))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert image.facts.bits == 12
    assert image.facts.notes == ()


def test_the_first_of_several_windows(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    tags = {"WindowCenter": [1024.5, 9], "WindowWidth": [2049, 9]}
    image = decoded(dicom(twelve, tags))
    np.testing.assert_allclose(image.pixels, np.clip(twelve / 2048, 0, 1), atol=1e-6)
    assert image.facts.notes == (
        Note("window-first", "2 windows are stated; the first usable one was used."),
    )


@pytest.mark.parametrize("width", [0, 0.5, -3])
def test_an_impossible_window_is_ignored(
    dicom: MakeDicom, twelve: NDArray[np.uint16], width: float
) -> None:
    image = decoded(dicom(twelve, {"WindowCenter": 100, "WindowWidth": width}))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert image.facts.notes == (
        Note("window-unusable", "The stated window is not usable and was ignored."),
        Note("own-range", "No usable window is stated: the image's own range was used."),
    )


@pytest.mark.parametrize("missing", ["WindowCenter", "WindowWidth"])
def test_half_a_window_is_none(dicom: MakeDicom, twelve: NDArray[np.uint16], missing: str) -> None:
    image = decoded(dicom(twelve, {"WindowCenter": 100, "WindowWidth": 7, missing: None}))
    assert image.facts.notes == (
        Note("window-unusable", "The stated window is not usable and was ignored."),
        Note("own-range", "No usable window is stated: the image's own range was used."),
    )


def test_an_unknown_window_function_is_refused(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    with refuses("dicom-voi-function-unknown"):
        decoded(dicom(twelve, {**WINDOW, "VOILUTFunction": "CUBIC"}))


def test_the_exact_function_is_read(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    tags = {"WindowCenter": 1, "WindowWidth": 0.5, "VOILUTFunction": "LINEAR_EXACT"}
    image = decoded(dicom(twelve, tags))
    np.testing.assert_array_equal(image.pixels[0, :4], [0, 0.5, 1, 1])


@pytest.mark.parametrize("words", [True, False])
@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_voi_table_goes_before_a_window(
    dicom: MakeDicom,
    twelve: NDArray[np.uint16],
    words: bool,  # noqa: FBT001 - a parameter
    syntax: UID,
) -> None:
    entries = (np.arange(2000, dtype=np.uint16) * 30).astype("<u2")
    order = ">" if syntax == ExplicitVRBigEndian and not words else "<"
    item = table(entries.astype(f"{order}u2"), 1000, 16, words=words)
    stored = twelve.astype(">u2") if syntax == ExplicitVRBigEndian else twelve
    data = dicom(
        twelve, {**WINDOW, "VOILUTSequence": [item], "PixelData": stored.tobytes()}, syntax
    )
    index = np.clip(twelve.astype(int) - 1000, 0, 1999)
    np.testing.assert_allclose(decoded(data).pixels, entries[index] / 65535, atol=1e-6)


def test_a_modality_table_goes_before_rescaling(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    item = table(np.arange(4096, dtype="<u2")[::-1], 0, 12, words=True)
    tags = {
        "ModalityLUTSequence": [item],
        "RescaleSlope": 5,
        "RescaleIntercept": 7,
        **WINDOW,
    }
    np.testing.assert_allclose(decoded(dicom(twelve, tags)).pixels, 1 - twelve / 4095, atol=1e-6)


def test_a_table_of_65536_signed_inputs(dicom: MakeDicom, ramp: NDArray[np.uint16]) -> None:
    # 0 entries stand for 65536, and the first input, -32768, is written without a sign.
    item = table(np.arange(65536, dtype="<u2"), -32768, 16, words=False)
    image = decoded(dicom(ramp.view(np.int16), {"VOILUTSequence": [item]}))
    np.testing.assert_allclose(image.pixels, (ramp ^ 0x8000) / 65535, atol=1e-6)


def test_eight_bit_entries_packed_in_pairs(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    item = table(np.arange(256, dtype=np.uint8)[::-1], 0, 8, words=False)
    image = decoded(dicom(grey, {"VOILUTSequence": [item]}))
    np.testing.assert_allclose(image.pixels, 1 - grey / 255, atol=1e-6)


def test_a_table_shorter_than_it_says_is_damaged(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    item = table(np.arange(10, dtype="<u2"), 0, 16, words=True)
    item["LUTDescriptor"].value = [256, 0, 16]
    with refuses("dicom-table-length"):
        decoded(dicom(grey, {"VOILUTSequence": [item]}))


def test_rescaling_comes_before_the_window(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    stored = (twelve.astype(np.int16) - 2048).astype(np.int16)
    tags = {
        "RescaleSlope": 2,
        "RescaleIntercept": 4096,
        "WindowCenter": 4096,
        "WindowWidth": 8192,
    }
    image = decoded(dicom(stored, tags))
    np.testing.assert_allclose(image.pixels, 2 * twelve / 8191, atol=1e-6)


def test_a_rescaling_that_is_no_number_is_damaged(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    data = dicom(twelve, {"RescaleSlope": "1.00", "RescaleIntercept": 0})
    with refuses("dicom-rescale-invalid", "Slope"):
        decoded(data.replace(b"1.00", b"nan "))


@pytest.mark.parametrize(
    ("photometric", "shape", "inverted"),
    [
        ("MONOCHROME2", None, False),
        ("MONOCHROME2", "IDENTITY", False),
        ("MONOCHROME1", None, True),
        ("MONOCHROME1", "INVERSE", True),
    ],
)
def test_inversion_comes_last_and_once(
    dicom: MakeDicom,
    twelve: NDArray[np.uint16],
    photometric: str,
    shape: str | None,
    inverted: bool,  # noqa: FBT001 - a parameter
) -> None:
    tags = {
        "PhotometricInterpretation": photometric,
        "PresentationLUTShape": shape,
        "WindowCenter": 1024.5,
        "WindowWidth": 2049,
    }
    expected = np.clip(twelve / 2048, 0, 1)
    image = decoded(dicom(twelve, tags))
    np.testing.assert_allclose(image.pixels, 1 - expected if inverted else expected, atol=1e-6)


@pytest.mark.parametrize("kind", [np.uint16, np.int16])
def test_padding_does_not_set_the_range(dicom: MakeDicom, kind: type[np.integer[Any]]) -> None:
    stored = np.tile(np.array([100, 150, 300, 999], kind), (16, 4))
    stored[0] = kind(60000 - 65536) if kind is np.int16 else kind(60000)
    data = dicom(stored, {"BitsStored": 16})
    dataset = dcmread(io.BytesIO(data))
    # Written as an unsigned number, as many files do whatever their pixels are.
    dataset.add(DataElement("PixelPaddingValue", "US", 60000))
    dataset.add(DataElement("PixelPaddingRangeLimit", "US", 60001))
    file = io.BytesIO()
    dataset.save_as(file)
    image = decoded(file.getvalue())
    np.testing.assert_allclose(image.pixels[1, :4], [0, 50 / 899, 200 / 899, 1], atol=1e-6)


def kinds(image: Radiograph) -> list[str]:
    return [note.kind for note in image.facts.notes]


def with_text(data: bytes, keyword: str, text: bytes) -> bytes:
    """A file in which the value `777777` of an element is replaced by this text."""
    assert len(text) <= 6
    assert data.count(b"777777") == 1, keyword
    return data.replace(b"777777", text.ljust(6))


@pytest.mark.parametrize(
    ("text", "center"),
    [
        (b"2047,5", 2047.5),
        (b"+2048", 2048),
        (b"2.05e3", 2050),
        (b"2048\0", 2048),
        (b"\\2048", 2048),
        (b"2048\\", 2048),
    ],
)
def test_windows_that_are_written_oddly(
    dicom: MakeDicom, twelve: NDArray[np.uint16], text: bytes, center: float
) -> None:
    data = dicom(twelve, {"WindowCenter": "777777", "WindowWidth": "1000"})
    image = decoded(with_text(data, "WindowCenter", text))
    expected = np.clip((twelve - (center - 0.5)) / 999 + 0.5, 0, 1)
    np.testing.assert_allclose(image.pixels, expected, atol=1e-6)


@pytest.mark.parametrize("text", [b"nan", b"abc", b"1e999", b"2,048", b"20;48", b"0x800"])
def test_a_window_that_cannot_be_read_is_noted(
    dicom: MakeDicom, twelve: NDArray[np.uint16], text: bytes
) -> None:
    data = dicom(twelve, {"WindowCenter": "777777", "WindowWidth": "1000"})
    image = decoded(with_text(data, "WindowCenter", text))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert kinds(image) == ["value-unusable", "window-unusable", "own-range"]


@pytest.mark.parametrize(
    ("centers", "widths", "center"),
    [([100, 1024.5], [0, 2049], 1024.5), ([1024.5, 7, 8], [2049], 1024.5)],
)
def test_the_first_window_that_can_be_used(
    dicom: MakeDicom,
    twelve: NDArray[np.uint16],
    centers: list[float],
    widths: list[float],
    center: float,
) -> None:
    image = decoded(dicom(twelve, {"WindowCenter": centers, "WindowWidth": widths}))
    expected = np.clip((twelve - (center - 0.5)) / 2048 + 0.5, 0, 1)
    np.testing.assert_allclose(image.pixels, expected, atol=1e-6)
    assert kinds(image) == ["window-first"]


def group(keyword: str, **tags: object) -> Dataset:
    """A functional group with one macro."""
    item, groups = Dataset(), Dataset()
    for name, value in tags.items():
        setattr(item, name, value)
    setattr(groups, keyword, [item])
    return groups


@pytest.mark.parametrize(
    "sequence", ["SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"]
)
def test_the_window_of_the_functional_groups(
    dicom: MakeDicom, twelve: NDArray[np.uint16], sequence: str
) -> None:
    shown = group("FrameVOILUTSequence", WindowCenter=600, WindowWidth=801)
    rescaled = group("PixelValueTransformationSequence", RescaleSlope=0.5, RescaleIntercept=100)
    shown.PixelValueTransformationSequence = rescaled.PixelValueTransformationSequence
    image = decoded(dicom(twelve, {"NumberOfFrames": 1, sequence: [shown]}))
    by_pydicom = Dataset()
    by_pydicom.PhotometricInterpretation = "MONOCHROME2"
    by_pydicom.BitsStored, by_pydicom.PixelRepresentation = 12, 0
    by_pydicom.RescaleSlope, by_pydicom.RescaleIntercept = 0.5, 100
    by_pydicom.WindowCenter, by_pydicom.WindowWidth = 600, 801
    values = apply_windowing(apply_modality_lut(twelve, by_pydicom), by_pydicom)
    np.testing.assert_allclose(image.pixels, (values - 100) / (4095 * 0.5), atol=1e-6)
    assert kinds(image) == []


@pytest.mark.parametrize(
    ("photometric", "shape"), [("MONOCHROME1", "IDENTITY"), ("MONOCHROME2", "INVERSE")]
)
def test_a_shape_against_the_photometric_interpretation_is_refused(
    dicom: MakeDicom, twelve: NDArray[np.uint16], photometric: str, shape: str
) -> None:
    tags = {"PhotometricInterpretation": photometric, "PresentationLUTShape": shape}
    with refuses("dicom-polarity-contradicts", photometric, shape):
        decoded(dicom(twelve, {**WINDOW, **tags}))


@pytest.mark.parametrize(
    ("photometric", "sign", "slope", "noted"),
    [
        ("MONOCHROME2", -1, 1, False),
        ("MONOCHROME2", 1, 1, True),
        ("MONOCHROME1", 1, 1, False),
        ("MONOCHROME1", -1, 1, True),
        ("MONOCHROME2", 1, -1, False),
    ],
)
def test_dense_parts_that_are_dark_are_noted(
    dicom: MakeDicom,
    twelve: NDArray[np.uint16],
    photometric: str,
    sign: int,
    slope: int,
    *,
    noted: bool,
) -> None:
    tags = {
        "PhotometricInterpretation": photometric,
        "PixelIntensityRelationshipSign": sign,
        "RescaleSlope": slope,
        "RescaleIntercept": 4095 if slope < 0 else 0,
    }
    assert ("contradiction" in kinds(decoded(dicom(twelve, {**WINDOW, **tags})))) == noted


def test_a_window_beyond_all_values_is_noted(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    image = decoded(dicom(twelve % 256, {"BitsStored": 8, "HighBit": 7, **WINDOW}))
    assert kinds(image) == ["contradiction"]


def test_a_slope_of_0_is_named_and_ignored(dicom: MakeDicom, twelve: NDArray[np.uint16]) -> None:
    image = decoded(dicom(twelve, {**WINDOW, "RescaleSlope": 0, "RescaleIntercept": 9}))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    (note,) = image.facts.notes
    assert "Rescale Slope is 0" in note.text


def test_half_a_rescaling_is_ignored_as_dcmtk_does(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    image = decoded(dicom(twelve, {**WINDOW, "RescaleSlope": 3}))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert kinds(image) == ["value-unusable"]


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("value", [0, 65535])
def test_a_few_extreme_pixels_do_not_set_the_range(
    dicom: MakeDicom, photometric: str, value: int
) -> None:
    rows, columns = np.mgrid[:64, :64]
    stored = (20000 + rows * 64 + columns).astype(np.uint16)
    tags = {"PhotometricInterpretation": photometric}
    plain = decoded(dicom(stored, tags))
    stored[31, 17] = value
    image = decoded(dicom(stored, tags))
    stored[31, 17] = 22000
    np.testing.assert_allclose(
        np.delete(image.pixels, 31, 0), np.delete(plain.pixels, 31, 0), atol=2e-3
    )
    assert kinds(plain) == ["own-range"]
    assert kinds(image) == ["own-range", "hot-pixel"]


def test_a_window_that_leaves_nothing_to_see_is_ignored(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    image = decoded(dicom(twelve, {"WindowCenter": -9000, "WindowWidth": 10}))
    np.testing.assert_allclose(image.pixels, twelve / 4095, atol=1e-6)
    assert kinds(image) == ["contradiction", "window-unusable", "own-range"]


def test_the_function_of_a_window_that_is_not_used_refuses_nothing(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    item = table(np.arange(4096, dtype="<u2")[::-1], 0, 12, words=True)
    tags = {**WINDOW, "VOILUTFunction": "CUBIC", "VOILUTSequence": [item]}
    image = decoded(dicom(twelve, tags))
    np.testing.assert_allclose(image.pixels, 1 - twelve / 4095, atol=1e-6)
    assert kinds(image) == ["window-first"]


def test_a_negative_slope_of_the_functional_groups_turns_the_sign(
    dicom: MakeDicom, twelve: NDArray[np.uint16]
) -> None:
    falling = group("PixelValueTransformationSequence", RescaleSlope=-1, RescaleIntercept=4095)
    tags = {"NumberOfFrames": 1, "SharedFunctionalGroupsSequence": [falling]}
    image = decoded(dicom(twelve, {**WINDOW, **tags, "PixelIntensityRelationshipSign": 1}))
    assert kinds(image) == []
