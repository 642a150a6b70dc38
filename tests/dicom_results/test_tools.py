"""Other programs on the objects: dicom3tools, which knows the standard's modules, and DCMTK."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.dicom_answers import CURVE, FixedModel, MakeSource, lookup_table, saved
from pulmo.workflows.dicom_results import answer_dicom

SOURCES: dict[str, Mapping[str, object]] = {
    "usual": {},
    "bare": {
        "BodyPartExamined": None, "PatientOrientation": None, "ImagerPixelSpacing": None,
        "ViewPosition": None, "WindowCenter": None, "WindowWidth": None,
    },
    "table": {
        "VOILUTSequence": [lookup_table(CURVE, 10)], "WindowCenter": None, "WindowWidth": None,
    },
    "japanese": {
        "SpecificCharacterSet": ["", "ISO 2022 IR 87"],
        "PatientName": "Yamada^Tarou=山田^太郎=やまだ^たろう",
    },
}  # fmt: skip


def ran(tool: str, *arguments: str | Path) -> str:
    """What a program prints, to both of its streams."""
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([program, *arguments], check=False, capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return (done.stdout + done.stderr).decode(errors="replace")


@pytest.fixture(scope="module", params=list(SOURCES))
def files(
    request: pytest.FixtureRequest,
    fixed_model: FixedModel,
    drawn: MakeSource,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Path]:
    """The files of an answer, by Modality, and its source."""
    tmp_path = tmp_path_factory.mktemp("files")
    source = drawn(photometric="MONOCHROME1", tags=SOURCES[request.param])
    answer = answer_dicom(fixed_model, source.data)
    assert (answer.status, answer.reason) == ("done", None)
    (tmp_path / "source.dcm").write_bytes(source.data)
    return {"source": tmp_path / "source.dcm", **saved(answer.objects, tmp_path)}


@pytest.mark.parametrize("kind", ["SR", "OT", "PR"])
def test_objects_have_what_their_class_needs(files: dict[str, Path], kind: str) -> None:
    assert "Error" not in ran("dciodvfy", files[kind])


def test_objects_agree_on_patient_and_study(files: dict[str, Path]) -> None:
    assert "Error" not in ran("dcentvfy", *files.values())


def test_the_report_is_read_as_one(files: dict[str, Path]) -> None:
    text = ran("dsrdump", "+Pn", files["SR"])
    assert "Verification Flag   : UNVERIFIED" in text
    assert text.count('"Measurement Group"') >= 7
    assert '(882784691000119100,SCT,"Pneumonia caused by SARS-CoV-2")' in text


@pytest.mark.parametrize("kind", ["SR", "OT", "PR"])
def test_objects_are_dumped_without_a_warning(files: dict[str, Path], kind: str) -> None:
    text = ran("dcmdump", files[kind])
    assert "W:" not in text
    assert "E:" not in text


def test_the_presentation_state_is_one(files: dict[str, Path]) -> None:
    assert "Test passed" in ran("dcmpschk", files["PR"])
