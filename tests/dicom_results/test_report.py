"""The structured report, read back by highdicom."""

import io
import re
from collections.abc import Mapping
from itertools import starmap
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from fixtures.dicom_answers import SHARES, Drawn, FixedModel, MakeSource
from pulmo.bundle.card import Card
from pulmo.core.labels import LABELS, LabelScheme
from pulmo.dicom_results import codes as own
from pulmo.lungs.opacity import opacity
from pulmo.workflows.dicom_results import DicomAnswer, answer_dicom, file_of

Report = Any
"""What highdicom reads: a class with a TID 1500 report as its content."""

Groups = dict[str, Any]


def answered(model: FixedModel, source: Drawn) -> tuple[DicomAnswer, Report]:
    answer = answer_dicom(model, source.data, kinds=["sr"])
    assert (answer.status, answer.reason) == ("done", None)
    return answer, hd.sr.srread(io.BytesIO(file_of(answer.objects[0])))


def groups(report: Report) -> Groups:
    found = report.content.get_image_measurement_groups()
    return {each.tracking_identifier: each for each in found}


def rois(report: Report) -> Groups:
    found = report.content.get_planar_roi_measurement_groups()
    return {each.tracking_identifier: each for each in found}


def texts(report: Report) -> list[str]:
    container = groups(report)["Result"][0]
    comments = [
        item for item in container.ContentSequence
        if item.ValueType == "TEXT" and item.name == codes.DCM.Comment
    ]  # fmt: skip
    return [item.value for item in comments]


def filled(line: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels whose centre is inside a line, whose origin is a pixel's corner."""
    mask = Image.new("1", shape[::-1])
    ImageDraw.Draw(mask).polygon([tuple(point) for point in line - 0.5], fill=1)
    return np.asarray(mask)


def overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / (one | other).sum())


def test_numbers_are_those_of_the_result(fixed_model: FixedModel, drawn: MakeSource) -> None:
    answer, report = answered(fixed_model, drawn())
    result = answer.result
    assert result is not None
    found = groups(report)
    assert list(found) == ["Result", *SHARES]
    for label, share in result.probabilities.items():
        (measured,) = found[label].get_measurements(name=codes.DCM.Probability)
        assert measured.value == share == pytest.approx(SHARES[label], abs=1e-6)
        assert measured.unit == codes.UCUM.NoUnits
    values = {each.name: each.value for each in found["Result"].get_measurements()}
    assert values == {
        own.POSITIVE_PROBABILITY: result.positive_probability,
        own.THRESHOLD: fixed_model.card.decision.threshold,
    }


def test_the_decision_is_coded(fixed_model: FixedModel, drawn: MakeSource) -> None:
    _, report = answered(fixed_model, drawn())
    said = [
        (each.name.value, each.value.value)
        for each in groups(report)["Result"].get_qualitative_evaluations()
    ]
    assert said == [
        ("decision", "882784691000119100"),
        ("positive", codes.SCT.Positive.value),
        ("band", "82334004"),
        ("prediction-set", "882784691000119100"),
        ("prediction-set", "53084003"),
    ]


def test_a_class_is_found_by_its_code(fixed_model: FixedModel, drawn: MakeSource) -> None:
    _, report = answered(fixed_model, drawn())
    query = report.content.get_image_measurement_groups
    (found,) = query(finding_type=Code("75570004", "SCT", "Viral pneumonia"))
    assert found.tracking_identifier == "viral"
    assert found.source_images[0].referenced_sop_instance_uid == drawn().dataset.SOPInstanceUID


@pytest.mark.parametrize(("shape", "photometric", "tags", "every"), [
    ((300, 260), "MONOCHROME2", {}, 1),
    ((240, 300), "MONOCHROME1", {"ImagerPixelSpacing": [0.2, 0.2]}, 1),
    ((300, 260), "MONOCHROME1", {"PixelAspectRatio": [2, 1], "ImagerPixelSpacing": None}, 2),
    ((700, 620), "MONOCHROME2", {"PixelSpacing": [0.4, 0.4]}, 1),
])  # fmt: skip
def test_outlines_lie_on_the_lungs_of_the_stored_image(
    fixed_model: FixedModel,
    drawn: MakeSource,
    shape: tuple[int, int],
    photometric: str,
    tags: Mapping[str, object],
    every: int,
) -> None:
    source = drawn(shape, photometric, tags, every)
    answer, report = answered(fixed_model, source)
    found = rois(report)
    stored = source.lungs.shape
    lines = [found[name].roi.value for name in ("Right lung", "Left lung")]
    for line in lines:
        assert (line[0] == line[-1]).all()
        assert line.min() >= 0
        assert (line <= stored[::-1]).all()
    right, left = (filled(line, stored) for line in lines)
    assert overlap(right | left, source.lungs) > 0.7
    assert right.nonzero()[1].mean() < stored[1] / 2 < left.nonzero()[1].mean()
    # They are simplified, and still those of the mask.
    assert answer.result is not None
    whole = answer.result.lungs.mask[::every]
    assert overlap(right | left, whole) > 0.97
    for name, mask in {"Right lung": right, "Left lung": left}.items():
        (share,) = found[name].get_measurements(name=own.LUNG_SHARE)
        assert share.value == pytest.approx(mask.mean(), rel=0.02)
    light = opacity(answer.result.radiograph.pixels, answer.result.lungs)
    assert light is not None
    assert [
        found[name].get_measurements(name=own.OPACITY)[0].value
        for name in ("Right lung", "Left lung")
    ] == [light.right, light.left]


def test_detections_are_boxes_of_the_evidence(fixed_model: FixedModel, drawn: MakeSource) -> None:
    answer, report = answered(fixed_model, drawn())
    assert answer.result is not None
    detections = answer.result.heatmap().detections
    found = [each for name, each in rois(report).items() if name.startswith("Detection")]
    assert len(found) == len(detections) > 0
    for each, detection in zip(found, detections, strict=True):
        (score,) = each.get_measurements(name=own.EVIDENCE)
        assert score.value == pytest.approx(detection.score)
        corners = each.roi.value
        assert corners.min(axis=0) == pytest.approx([detection.left * 260, detection.top * 300])
        size = np.ptp(corners, axis=0)
        assert size == pytest.approx([detection.width * 260, detection.height * 300], rel=1e-5)


def test_it_says_who_made_it_and_that_nobody_verified_it(
    fixed_model: FixedModel, drawn: MakeSource
) -> None:
    _, report = answered(fixed_model, drawn())
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")
    assert (report.PreliminaryFlag, report.ContentQualification) == ("PRELIMINARY", "RESEARCH")
    (context,) = report.content.get_observer_contexts(observer_type=codes.DCM.Device)
    device = context.observer_identifying_attributes
    assert (device.name, device.model_name, device.serial_number) == ("pulmo", "fixed", "ab" * 32)
    algorithm = [
        item.value for item in groups(report)["covid"][0].ContentSequence
        if item.name.meaning.startswith("Algorithm")
    ]  # fmt: skip
    assert algorithm[0] == "pulmo"
    assert algorithm[2] == f"model fixed of 2026-01-01T00:00:00Z, SHA-256 {'ab' * 32}"


def test_sentences_hold_what_must_be_known(fixed_model: FixedModel, drawn: MakeSource) -> None:
    window = {"WindowCenter": None, "WindowWidth": None}
    answer, report = answered(fixed_model, drawn(tags=window))
    assert answer.result is not None
    found = texts(report)
    assert found[0] == "For research use only, not for diagnosis."
    assert answer.result.notes
    assert {note.text for note in answer.result.notes} <= set(found)
    assert "Prediction set: covid, bacterial." in found
    assert all(sentence.isascii() for sentence in found)


@pytest.mark.parametrize("tags", [
    {"ViewPosition": None, "PatientOrientation": None},
    {"PatientOrientation": ["R", "F"]},
])  # fmt: skip
def test_sides_that_nothing_states_are_those_of_the_image(
    fixed_model: FixedModel, drawn: MakeSource, tags: Mapping[str, object]
) -> None:
    answer, report = answered(fixed_model, drawn(tags=tags))
    names = [name for name in rois(report) if not name.startswith("Detection")]
    assert names == ["Lung on the left of the image", "Lung on the right of the image"]
    for name in names:
        assert rois(report)[name].finding_sites[0].laterality is None
    assert answer.result is not None
    assert {note.text for note in answer.result.lungs.notes} <= set(texts(report))


def test_an_image_without_lungs_has_none(fixed_model: FixedModel, drawn: MakeSource) -> None:
    dataset = drawn().dataset
    noise = np.random.default_rng(0).integers(200, 3600, (300, 260), dtype=np.uint16)
    dataset.PixelData = noise.tobytes()
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    answer, report = answered(fixed_model, Drawn(buffer.getvalue(), np.zeros((300, 260), bool)))
    assert answer.result is not None
    assert answer.result.lungs.reason in texts(report)
    assert not [name for name in rois(report) if "lung" in name.casefold()]


def test_the_library_describes_the_source(fixed_model: FixedModel, drawn: MakeSource) -> None:
    source = drawn((240, 300), tags={"ImagerPixelSpacing": [0.25, 0.25]})
    _, report = answered(fixed_model, source)
    library = hd.sr.utils.find_content_items(
        report.content[0], name=codes.DCM.ImageLibrary, recursive=True
    )[0]
    image = library.ContentSequence[0].ContentSequence[0]
    described = {item.name.meaning: item.value for item in image.ContentSequence}
    assert described["Pixel Data Rows"] == 240
    assert described["Pixel Data Columns"] == 300
    assert described["Vertical Pixel Spacing"] == 0.25
    assert image.referenced_sop_instance_uid == source.dataset.SOPInstanceUID


@pytest.mark.parametrize("tags", [
    {"ImagerPixelSpacing": None}, {"PatientOrientation": None}, {"Modality": "OT"},
    {"PatientOrientation": ["L", "SOMEWHERE"]},
])  # fmt: skip
def test_the_library_does_without_what_is_not_stated(
    fixed_model: FixedModel, drawn: MakeSource, tags: Mapping[str, object]
) -> None:
    _, report = answered(fixed_model, drawn(tags=tags))
    assert "Vertical Pixel Spacing" not in str(report)


def test_every_label_has_a_code_of_its_own() -> None:
    scheme = LabelScheme(tuple(LABELS))
    found = [own.class_code(label, scheme) for label in LABELS]
    assert len({code.value for code in found}) == len(LABELS)
    assert {code.scheme_designator for code in found} == {"SCT"}


def test_a_class_with_merged_labels_has_no_code_of_a_standard(fixed_card: Card) -> None:
    scheme = LabelScheme(fixed_card.labels.order, {"other": "normal", "pneumonia": "viral"})
    found = list(starmap(own.class_code, [("normal", scheme), ("viral", scheme)]))
    assert [tuple(code)[:3] for code in found] == [
        ("norm+othe", "99PULMO", "normal or other"), ("vira+pneu", "99PULMO", "viral or pneumonia"),
    ]  # fmt: skip
    assert own.class_code("covid", scheme).scheme_designator == "SCT"


def test_a_report_alone_needs_no_other_kind(
    fixed_model: FixedModel, drawn: MakeSource, tmp_path: Path
) -> None:
    path = tmp_path / "image.dcm"
    path.write_bytes(drawn().data)
    answer = answer_dicom(fixed_model, path, kinds=["sr"])
    assert [made.Modality for made in answer.objects] == ["SR"]


def test_the_documentation_has_every_code() -> None:
    text = (Path(__file__).parents[2] / "docs/how-to/dicom-results.md").read_text("utf-8")
    for label in LABELS:
        code = own.class_code(label, LabelScheme(tuple(LABELS)))
        assert f"| `{label}` | {code.value}, SCT | {code.meaning} |" in text
    stated = {value for value in vars(own).values() if isinstance(value, Code)}
    private = {code.value for code in stated if code.scheme_designator == own.OWN}
    assert set(re.findall(r"`([a-z-]+)`, 99PULMO", text)) == private
