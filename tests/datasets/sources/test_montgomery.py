from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem

NAMES = ("MCUCXR_0001_0", "MCUCXR_0162_1", "MCUCXR_0166_1", "MCUCXR_0170_1", "MCUCXR_0200_1")


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["montgomery"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    readings = {
        "MCUCXR_0001_0": "Patient's Sex: F \nPatient's Age: 027Y\nnormal",
        "MCUCXR_0162_1": "Patient's Sex: M \r\nPatient's Age: 049Y\r\ncavitary infiltrate",
        "MCUCXR_0166_1": "Patient's Sex: M\nPatient's Age: 049Y\n"
        "NO REPORT (same pt as MCUCXR_0162_1)",
        "MCUCXR_0170_1": "Patient's Sex: O\nPatient's Age: unknown\n(same pt as MCUCXR_0166_1)",
    }
    for name in NAMES:
        draw(f"CXR_png/{name}.png")
        draw(f"ManualMask/leftMask/{name}.png")
        draw(f"ManualMask/rightMask/{name}.png")
    (tmp_path / "ClinicalReadings").mkdir()
    for name, text in readings.items():
        (tmp_path / "ClinicalReadings" / f"{name}.txt").write_text(text)
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    assert entries[0] == Entry(
        root / "CXR_png" / "MCUCXR_0001_0.png",
        "normal",
        finding="normal",
        view="PA",
        modality="X-ray",
        age=27.0,
        sex="F",
        origin="Department of Health and Human Services, Montgomery County, USA",
    )
    assert [(e.path.stem, e.label, e.age, e.sex) for e in entries[1:]] == [
        ("MCUCXR_0162_1", "other", 49.0, "M"),
        ("MCUCXR_0166_1", "other", 49.0, "M"),
        ("MCUCXR_0170_1", "other", None, "O"),
        ("MCUCXR_0200_1", "other", None, None),
    ]
    assert not problems


def test_images_that_a_reading_links_are_of_one_patient_and_no_others(root: Path) -> None:
    patients = {entry.path.stem: entry.patient for entry in index(root)[0]}
    linked = {patients[name] for name in NAMES[1:4]}
    assert linked == {"MCUCXR_0162_1"}
    assert patients["MCUCXR_0001_0"] is None
    assert patients["MCUCXR_0200_1"] is None


def test_a_chain_of_links_is_one_patient_in_any_order(root: Path) -> None:
    readings = root / "ClinicalReadings"
    for name, other in [(1, 3), (4, 2), (3, 4)]:
        text = f"(same pt as {NAMES[other]})"
        (readings / f"{NAMES[name]}.txt").write_text(text)
    (readings / f"{NAMES[2]}.txt").write_text("")
    patients = [entry.patient for entry in index(root)[0]]
    assert patients[0] is None
    assert len(set(patients[1:])) == 1


def test_lung_masks_are_never_imported(root: Path, draw: Callable[..., Path]) -> None:
    other = draw("CXR_png/MCUCXR_0001_0_mask.png")
    imported = import_source("montgomery", root)
    assert [Path(path).stem for path in imported.manifest.frame["path"]] == [*NAMES]
    assert all(Path(path).parent.name == "CXR_png" for path in imported.manifest.frame["path"])
    assert [(p.path, p.failed) for p in imported.problems] == [(str(other), False)]
    groups = dict(zip(NAMES, imported.manifest.frame["group"], strict=True))
    assert len({groups[name] for name in NAMES}) == 3
    assert "leftMask" in SOURCES["montgomery"].about.obtain


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    with refuses("label-map-not-taken", "montgomery"):
        list(SOURCES["montgomery"].entries(tmp_path, {"1": "other"}))
