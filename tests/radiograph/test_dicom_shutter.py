"""Display shutters, padding at both ends, and pixels that are not square."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.dataelem import DataElement

from pulmo.radiograph import Radiograph, decode_radiograph

MakeDicom = Callable[..., bytes]
RECTANGLE = {
    "ShutterShape": "RECTANGULAR",
    "ShutterLeftVerticalEdge": 5,
    "ShutterRightVerticalEdge": 20,
    "ShutterUpperHorizontalEdge": 3,
    "ShutterLowerHorizontalEdge": 22,
}
CIRCLE = {
    "ShutterShape": "CIRCULAR",
    "CenterOfCircularShutter": [12, 16],
    "RadiusOfCircularShutter": 9,
}
TRIANGLE = {
    "ShutterShape": "POLYGONAL",
    "VerticesOfThePolygonalShutter": [2, 2, 2, 30, 22, 2],
}


def kinds(image: Radiograph) -> list[str]:
    return [note.kind for note in image.facts.notes]


def shown(dicom: MakeDicom, stored: NDArray[Any], **tags: object) -> Radiograph:
    return decode_radiograph(dicom(stored, tags), "image")


def rectangle(rows: NDArray[Any], columns: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((columns >= 5) & (columns <= 20) & (rows >= 3) & (rows <= 22))


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_what_is_outside_a_rectangle_is_black(
    dicom: MakeDicom, grey: NDArray[np.uint8], photometric: str
) -> None:
    stored = np.maximum(grey, 9)
    plain = shown(dicom, stored, PhotometricInterpretation=photometric)
    image = shown(dicom, stored, PhotometricInterpretation=photometric, **RECTANGLE)
    rows, columns = np.mgrid[1:25, 1:33]
    inside = rectangle(rows, columns)
    np.testing.assert_array_equal(image.pixels, np.where(inside, plain.pixels, 0))
    assert kinds(image) == ["shutter"]


def test_a_circle_and_a_rectangle_together(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    both = {**RECTANGLE, **CIRCLE, "ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    image = shown(dicom, np.maximum(grey, 9), **both)
    rows, columns = np.mgrid[1:25, 1:33]
    inside = rectangle(rows, columns) & ((rows - 12) ** 2 + (columns - 16) ** 2 <= 81)
    np.testing.assert_array_equal(image.pixels > 0, inside)


def test_a_polygon(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    image = shown(dicom, np.maximum(grey, 9), **TRIANGLE)
    assert image.pixels[2, 2] > 0 < image.pixels[2, 20]
    assert image.pixels[20, 20] == image.pixels[0, 0] == 0
    # Half of 21 rows by 29 columns, edges included.
    assert np.count_nonzero(image.pixels) == pytest.approx(304, abs=20)


@pytest.mark.parametrize(
    "shutter",
    [
        {"ShutterShape": "BITMAP"},
        {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 3},
        {**RECTANGLE, "ShutterRightVerticalEdge": 4},
        {**CIRCLE, "RadiusOfCircularShutter": None},
        {**TRIANGLE, "VerticesOfThePolygonalShutter": [2, 2, 2, 30]},
    ],
)
def test_a_shutter_that_cannot_be_used_is_ignored(
    dicom: MakeDicom, grey: NDArray[np.uint8], shutter: dict[str, object]
) -> None:
    image = shown(dicom, grey, **shutter)
    np.testing.assert_array_equal(image.pixels, shown(dicom, grey).pixels)
    assert kinds(image) == ["value-unusable"]


def test_a_shutter_that_hides_nothing_is_not_noted(
    dicom: MakeDicom, grey: NDArray[np.uint8]
) -> None:
    whole = {
        **RECTANGLE,
        "ShutterLeftVerticalEdge": 1,
        "ShutterRightVerticalEdge": 32,
        "ShutterUpperHorizontalEdge": 1,
        "ShutterLowerHorizontalEdge": 24,
    }
    assert kinds(shown(dicom, grey, **whole)) == []


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("end", [0, 4095])
def test_padding_is_black_at_either_end(
    dicom: MakeDicom, twelve: NDArray[np.uint16], photometric: str, end: int
) -> None:
    stored = np.clip(twelve, 100, 4000)
    stored[:, :9] = end
    tags: dict[str, object] = {
        "BitsStored": 12,
        "HighBit": 11,
        "WindowCenter": 2048,
        "WindowWidth": 4096,
        "PhotometricInterpretation": photometric,
    }
    plain = shown(dicom, stored, **tags)
    padding = DataElement("PixelPaddingValue", "US", end)
    image = shown(dicom, stored, **tags, PixelPaddingValue=padding)
    expected = plain.pixels.copy()
    expected[:, :9] = 0
    np.testing.assert_array_equal(image.pixels, expected)
    assert kinds(image) == ["padding"]


@pytest.mark.parametrize(
    ("tags", "shape", "spacing"),
    [
        ({"PixelAspectRatio": ["2", "1"]}, (48, 32), None),
        ({"PixelAspectRatio": ["1", "2"]}, (24, 64), None),
        ({"PixelSpacing": [0.4, 0.2]}, (48, 32), (0.2, 0.2)),
        ({"ImagerPixelSpacing": [0.2, 0.3]}, (24, 48), (0.2, 0.2)),
    ],
)
def test_pixels_become_square(
    dicom: MakeDicom,
    grey: NDArray[np.uint8],
    tags: dict[str, object],
    shape: tuple[int, int],
    spacing: tuple[float, float] | None,
) -> None:
    image = shown(dicom, grey, **tags)
    assert image.pixels.shape == shape
    assert image.facts.spacing == spacing
    assert kinds(image) == ["aspect"]
    # A ramp stays a ramp, and the mean stays the mean.
    assert image.pixels.mean() == pytest.approx(shown(dicom, grey).pixels.mean(), abs=0.01)


@pytest.mark.parametrize(
    "tags",
    [{"PixelAspectRatio": ["1000", "1"]}, {"PixelAspectRatio": ["0", "1"]}],
)
def test_a_ratio_that_cannot_be_is_noted(
    dicom: MakeDicom, grey: NDArray[np.uint8], tags: dict[str, object]
) -> None:
    image = shown(dicom, grey, **tags)
    assert image.pixels.shape == grey.shape
    assert kinds(image) == ["value-unusable"]


def test_nearly_square_is_square(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    image = shown(dicom, grey, PixelSpacing=[0.1999, 0.2])
    assert image.pixels.shape == grey.shape
    assert kinds(image) == []


def test_the_shutter_of_the_functional_groups(dicom: MakeDicom, grey: NDArray[np.uint8]) -> None:
    shutter, group = Dataset(), Dataset()
    for keyword, value in RECTANGLE.items():
        setattr(shutter, keyword, value)
    group.FrameDisplayShutterSequence = [shutter]
    enhanced = {"NumberOfFrames": 1, "SharedFunctionalGroupsSequence": [group]}
    image = shown(dicom, grey, **enhanced)
    np.testing.assert_array_equal(image.pixels, shown(dicom, grey, **RECTANGLE).pixels)
    assert kinds(image) == ["shutter"]


@pytest.mark.parametrize("value", [-2000, 5000])
def test_a_padding_value_that_no_pixel_can_have_is_ignored(
    dicom: MakeDicom, twelve: NDArray[np.uint16], value: int
) -> None:
    tags = {"BitsStored": 12, "HighBit": 11, "WindowCenter": 2048, "WindowWidth": 4096}
    padding = DataElement("PixelPaddingValue", "SS", value)
    image = shown(dicom, twelve, **tags, PixelPaddingValue=padding)
    np.testing.assert_array_equal(image.pixels, shown(dicom, twelve, **tags).pixels)
    assert kinds(image) == ["value-unusable"]


@pytest.mark.parametrize("tags", [{"PixelAspectRatio": ["2", "1"]}, {"PixelSpacing": [0.4, 0.2]}])
def test_a_circle_is_round_where_pixels_are_not_square(
    dicom: MakeDicom, tags: dict[str, object]
) -> None:
    stored = np.full((32, 64), 200, np.uint8)
    stored[::2] = 100
    circle = {**CIRCLE, "CenterOfCircularShutter": [16, 32], "RadiusOfCircularShutter": 20}
    image = shown(dicom, stored, **circle, **tags)
    assert image.pixels.shape == (64, 64)
    rows, columns = (np.flatnonzero((image.pixels > 0.1).any(axis)) for axis in (1, 0))
    # A row of the file is two of the image.
    assert np.ptp(rows) == pytest.approx(40, abs=4)
    assert np.ptp(columns) == pytest.approx(40, abs=2)
