"""The use case of one DICOM image: answered, refused or failed, each with one sentence."""

import io
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image
from pydicom import dcmread
from pydicom.uid import ExplicitVRLittleEndian

from fixtures.dicom_answers import FixedModel, MakeSource
from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.dicom_results import objects
from pulmo.workflows.dicom_folder import DicomFolder
from pulmo.workflows.dicom_results import answer_dicom
from pulmo.workflows.predict import predict_images

if TYPE_CHECKING:
    from pulmo.radiograph.image_source import ImageSource


@pytest.fixture
def model(fixed_card: Card) -> FixedModel:
    """A model for X-ray images of the chest that are seen from the front."""
    training = fixed_card.training.model_copy(
        update={"modalities": ("X-ray",), "views": ("AP", "PA")}
    )
    return FixedModel(fixed_card.model_copy(update={"training": training}))


@pytest.fixture
def path(drawn: MakeSource, tmp_path: Path) -> Path:
    path = tmp_path / "images" / "image.dcm"
    path.parent.mkdir()
    path.write_bytes(drawn().data)
    return path


def test_objects_are_complete(model: FixedModel, drawn: MakeSource) -> None:
    answer = answer_dicom(model, drawn().data)
    assert (answer.status, answer.code, answer.reason) == ("done", None, None)
    assert answer.result is not None
    assert answer.result.decision == "covid"
    assert [made.Modality for made in answer.objects] == ["SR", "OT", "PR"]
    for made in answer.objects:
        meta = made.file_meta
        assert meta.TransferSyntaxUID == ExplicitVRLittleEndian
        assert meta.MediaStorageSOPClassUID == made.SOPClassUID
        assert meta.MediaStorageSOPInstanceUID == made.SOPInstanceUID
    assert len({made.SeriesInstanceUID for made in answer.objects}) == 3


def test_kinds_are_chosen(model: FixedModel, path: Path) -> None:
    answer = answer_dicom(model, path, kinds=["gsps", "sr"])
    assert [made.Modality for made in answer.objects] == ["SR", "PR"]


@pytest.mark.parametrize("kinds", [(), ("sr", "pdf")])
def test_a_kind_that_there_is_not_is_refused(
    model: FixedModel, path: Path, kinds: tuple[str, ...]
) -> None:
    with refuses("dicom-result-unknown", *kinds[1:]):
        answer_dicom(model, path, kinds=kinds)


REFUSED: dict[str, tuple[str, Mapping[str, object]]] = {
    "dicom-identifier-missing": ("study (StudyInstanceUID)", {"StudyInstanceUID": None}),
    "dicom-several-frames": ("several frames", {"NumberOfFrames": 3}),
    "modality-out-of-scope": ("CT", {"Modality": "CT", "SOPClassUID": "1.2.840.10008.5.1.4.1.1.2"}),
    "image-out-of-scope": ("lateral", {"ViewPosition": "LL"}),
    "dicom-class-unsupported": ("class", {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.77.1.1"}),
}  # fmt: skip


@pytest.mark.parametrize("code", list(REFUSED))
def test_what_is_refused_has_one_sentence_and_no_objects(
    model: FixedModel, drawn: MakeSource, code: str
) -> None:
    word, tags = REFUSED[code]
    answer = answer_dicom(model, drawn(tags=tags).data)
    assert (answer.status, answer.code, answer.objects) == ("refused", code, ())
    assert answer.result is None
    assert answer.reason is not None
    assert word in answer.reason
    assert answer.reason.startswith("The image ")


@pytest.mark.parametrize("keyword", ["SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID"])
def test_an_identifier_that_is_none_is_refused(
    model: FixedModel, drawn: MakeSource, keyword: str
) -> None:
    dataset = drawn().dataset
    dataset[keyword].value = ""
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    answer = answer_dicom(model, buffer.getvalue())
    assert (answer.status, answer.code) == ("refused", "dicom-identifier-missing")
    assert keyword in str(answer.reason)


def png(row: Sequence[int] = (0,) * 64) -> bytes:
    """A PNG file of 64 equal rows."""
    pixels = np.tile(np.array(row, np.uint8), (64, 1))
    Image.fromarray(pixels).save(buffer := io.BytesIO(), "PNG")
    return buffer.getvalue()


FAILED: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty": ("dicom-expected", lambda _: b""),
    "png": ("dicom-expected", lambda _: png()),
    "truncated": ("image-truncated", lambda data: data[: len(data) // 2]),
    "header": ("image-truncated", lambda data: data[:1200]),
}


@pytest.mark.parametrize("case", list(FAILED))
def test_what_is_damaged_has_one_sentence(model: FixedModel, drawn: MakeSource, case: str) -> None:
    code, spoil = FAILED[case]
    answer = answer_dicom(model, spoil(drawn().data))
    assert (answer.status, answer.code, answer.objects) == ("failed", code, ())
    assert str(answer.reason).startswith("The image ")


def test_a_file_that_is_not_there_is_not_named(model: FixedModel, tmp_path: Path) -> None:
    answer = answer_dicom(model, tmp_path / "Jane Test.dcm")
    assert (answer.status, answer.code) == ("failed", "file-unreadable")
    assert "Jane" not in str(answer.reason)


def test_without_highdicom_the_extra_is_named(
    model: FixedModel, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        objects, "find_spec", lambda name: None if name == "highdicom" else find_spec(name)
    )
    with refuses("package-missing", "highdicom", "pulmo[dicom]"):
        answer_dicom(model, path)
    with refuses("package-missing"):
        DicomFolder.from_names(path.parent / "results", [path])


def test_highdicom_waits_until_objects_are_made(unmeasured: dict[str, str]) -> None:
    code = (
        "import sys; import pulmo.workflows.dicom_folder; "
        "sys.exit(any(name in sys.modules for name in ('highdicom', 'torch', 'matplotlib')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=unmeasured)


def test_predictions_write_objects_of_each_dicom_image(model: FixedModel, path: Path) -> None:
    root = path.parent / "results"
    (path.parent / "other.png").write_bytes(png())
    for _ in range(2):
        found = {
            Path(each.file).name: each
            for each in predict_images(
                model, [path.parent], None, lambda _: None, objects=DicomFolder(root)
            )
        }
        # What was written before is no image of the second call.
        assert set(found) == {"image.dcm", "other.png"}
    assert (found["other.png"].code, found["other.png"].objects) == ("image-blank", None)
    written = found["image.dcm"].objects
    assert written is not None
    digits = str(found["image.dcm"].sha256)[:8]
    assert [each.name for each in written] == [
        f"image.{digits}.{kind}.dcm" for kind in ("sr", "sc", "gsps")
    ]
    assert sorted(root.iterdir()) == sorted(written)
    assert [dcmread(each).Modality for each in written] == ["SR", "OT", "PR"]


def test_an_image_that_is_not_dicom_has_no_objects(fixed_model: FixedModel, path: Path) -> None:
    folder = DicomFolder(path.parent / "results")
    other = path.with_suffix(".png")
    other.write_bytes(png(range(64)))
    with Image.open(other) as opened:
        given: list[ImageSource] = [other, other.read_bytes(), opened.copy(), path.read_bytes()]
    results = list(predict_images(fixed_model, given, None, lambda _: None, objects=folder))
    assert [each.code for each in results] == ["dicom-expected"] * 3 + [None]
    assert all("is not a DICOM file" in str(each.reason) for each in results[:3])
    assert len(results[3].objects or ()) == 3


def test_objects_are_not_written_among_images(path: Path) -> None:
    with refuses("output-among-images", path.parent):
        DicomFolder.from_names(path.parent, [path.parent])
    assert DicomFolder.from_names(path.parent, [path]).root == path.parent
