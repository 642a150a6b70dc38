"""The presentation state: what it draws, and how it displays the source."""

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.dataset import Dataset, FileDataset

from fixtures.dicom_answers import CURVE, Drawn, FixedModel, MakeSource, lookup_table
from pulmo.workflows.dicom_results import answer_dicom, file_of

Dcmtk = Callable[..., Path]


def state_of(model: FixedModel, source: Drawn) -> FileDataset:
    answer = answer_dicom(model, source.data, kinds=["gsps"])
    assert (answer.status, answer.reason) == ("done", None)
    return dcmread(io.BytesIO(file_of(answer.objects[0])))


def lines_of(state: Dataset) -> dict[str, NDArray[np.float64]]:
    (annotation,) = state.GraphicAnnotationSequence
    return {
        each.TrackingID: np.reshape(each.GraphicData, (-1, 2))
        for each in annotation.GraphicObjectSequence
    }


def test_its_lines_are_those_of_the_report(fixed_model: FixedModel, drawn: MakeSource) -> None:
    made, state = answer_dicom(fixed_model, drawn().data, kinds=["sr", "gsps"]).objects
    report: Any = hd.sr.srread(io.BytesIO(file_of(made)))
    groups = report.content.get_planar_roi_measurement_groups()
    lines = lines_of(state)
    assert [each.tracking_identifier for each in groups] == list(lines)
    for group in groups:
        assert np.array_equal(group.roi.value, lines[group.tracking_identifier])
    (annotation,) = state.GraphicAnnotationSequence
    assert {each.GraphicAnnotationUnits for each in annotation.GraphicObjectSequence} == {"PIXEL"}


def test_it_says_that_it_is_for_research(fixed_model: FixedModel, drawn: MakeSource) -> None:
    state = state_of(fixed_model, drawn())
    (text,) = state.GraphicAnnotationSequence[0].TextObjectSequence
    assert text.UnformattedTextValue == (
        "pulmo: covid 0.400, bacterial 0.300, viral 0.200, normal 0.100\r\n"
        "For research use only, not for diagnosis."
    )


def test_it_refers_to_its_source_alone(fixed_model: FixedModel, drawn: MakeSource) -> None:
    source = drawn()
    state, given = state_of(fixed_model, source), source.dataset
    (series,) = state.ReferencedSeriesSequence
    (image,) = series.ReferencedImageSequence
    assert series.SeriesInstanceUID == given.SeriesInstanceUID
    assert image.ReferencedSOPInstanceUID == given.SOPInstanceUID
    (area,) = state.DisplayedAreaSelectionSequence
    assert area.DisplayedAreaBottomRightHandCorner == [given.Columns, given.Rows]


DISPLAYS: dict[str, Mapping[str, object]] = {
    "window": {},
    "narrow": {"WindowCenter": 1500, "WindowWidth": 900},
    "sigmoid": {"VOILUTFunction": "SIGMOID", "WindowCenter": 1900, "WindowWidth": 1500},
    "no window": {"WindowCenter": None, "WindowWidth": None},
    "hiding window": {"WindowCenter": 9000, "WindowWidth": 10},
    "plain": {"RescaleSlope": None, "RescaleIntercept": None, "RescaleType": None},
    "rescaled": {"RescaleSlope": 2, "RescaleIntercept": -100, "WindowCenter": 3700,
                 "WindowWidth": 6800},
    "table": {"VOILUTSequence": [lookup_table(CURVE, 10)], "WindowCenter": None,
              "WindowWidth": None},
    "modality table": {"ModalityLUTSequence": [lookup_table(CURVE, 10, ModalityLUTType="US")],
                       "RescaleSlope": None, "RescaleIntercept": None, "RescaleType": None,
                       "WindowCenter": 500, "WindowWidth": 900},
}  # fmt: skip


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("tags", list(DISPLAYS.values()), ids=list(DISPLAYS))
def test_dcmtk_displays_the_source_by_it_as_the_model_saw_it(
    fixed_model: FixedModel,
    drawn: MakeSource,
    dcmtk: Dcmtk,
    tmp_path: Path,
    photometric: str,
    tags: Mapping[str, object],
) -> None:
    source = drawn(photometric=photometric, tags=tags)
    answer = answer_dicom(fixed_model, source.data, kinds=["gsps"])
    assert answer.result is not None
    state = tmp_path / "state.dcm"
    state.write_bytes(file_of(answer.objects[0]))
    with Image.open(dcmtk("dcmp2pgm", "-p", str(state), source=source.data)) as shown:
        grey = np.asarray(shown.convert("L"), np.float32) / 255
    if tags is DISPLAYS["sigmoid"]:
        # DCMTK 3.6.7 reads no function of a window; that of the state is the source's.
        (voi,) = answer.objects[0].SoftcopyVOILUTSequence
        assert voi.VOILUTFunction == "SIGMOID"
    else:
        assert np.abs(grey - answer.result.radiograph.pixels).max() < 3 / 255


def test_eight_bits_without_a_window_keep_their_range(
    fixed_model: FixedModel, drawn: MakeSource
) -> None:
    dataset = drawn(tags={"WindowCenter": None, "WindowWidth": None}).dataset
    dataset.PixelData = (dataset.pixel_array // 16).astype(np.uint8).tobytes()
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.save_as(file := io.BytesIO())
    (made,) = answer_dicom(fixed_model, file.getvalue(), kinds=["gsps"]).objects
    assert "SoftcopyVOILUTSequence" not in made


def test_a_table_that_begins_below_zero_is_kept(fixed_model: FixedModel, drawn: MakeSource) -> None:
    tags = {
        "RescaleIntercept": -1000, "VOILUTSequence": [lookup_table(CURVE, 10, first=-1000)],
        "WindowCenter": None, "WindowWidth": None,
    }  # fmt: skip
    (voi,) = state_of(fixed_model, drawn(tags=tags)).SoftcopyVOILUTSequence
    (made,) = voi.VOILUTSequence
    assert made.LUTDescriptor == [4096, -1000, 16]
    entries = np.frombuffer(made.LUTData, "<u2") / 65535
    assert entries == pytest.approx(np.array(CURVE) / 1023, abs=1e-5)


@pytest.mark.parametrize(("tags", "every", "expected"), [
    ({}, 1, [1, 1]),
    ({"PixelAspectRatio": [2, 1], "ImagerPixelSpacing": None}, 2, [2, 1]),
])  # fmt: skip
def test_pixels_that_are_not_square_are_displayed_so(
    fixed_model: FixedModel,
    drawn: MakeSource,
    tags: Mapping[str, object],
    every: int,
    expected: list[int],
) -> None:
    state = state_of(fixed_model, drawn(tags=tags, every=every))
    (area,) = state.DisplayedAreaSelectionSequence
    assert area.PresentationPixelAspectRatio == expected


def test_an_image_in_colours_has_none(fixed_model: FixedModel, drawn: MakeSource) -> None:
    dataset = drawn().dataset
    grey = (np.frombuffer(dataset.PixelData, np.uint16) / 16).astype(np.uint8)
    dataset.PhotometricInterpretation, dataset.SamplesPerPixel = "RGB", 3
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 8, 8, 7
    dataset.PlanarConfiguration = 0
    dataset.PixelData = np.repeat(grey[:, None], 3, axis=1).tobytes()
    for keyword in ("PresentationLUTShape", "WindowCenter", "WindowWidth"):
        del dataset[keyword]
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    answer = answer_dicom(fixed_model, buffer.getvalue())
    assert (answer.status, answer.reason) == ("done", None)
    assert [made.Modality for made in answer.objects] == ["SR", "OT"]
