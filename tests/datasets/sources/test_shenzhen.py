from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem

HOSPITAL = "Shenzhen No. 3 People's Hospital, Shenzhen, China"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["shenzhen"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    for name in ("CHNCXR_0001_0", "CHNCXR_0327_1", "CHNCXR_0400_1"):
        draw(f"CXR_png/{name}.png")
    (tmp_path / "ClinicalReadings").mkdir()
    (tmp_path / "ClinicalReadings" / "CHNCXR_0001_0.txt").write_text("male 35yrs\nnormal")
    (tmp_path / "ClinicalReadings" / "CHNCXR_0327_1.txt").write_bytes(
        b"female , 64days  \t\r\nr\xe9sum\xe9: bilateral secondary PTB"
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    assert entries == [
        Entry(
            root / "CXR_png" / "CHNCXR_0001_0.png",
            "normal",
            finding="normal",
            modality="X-ray",
            age=35.0,
            sex="M",
            origin=HOSPITAL,
        ),
        Entry(
            root / "CXR_png" / "CHNCXR_0327_1.png",
            "other",
            finding="tuberculosis",
            modality="X-ray",
            age=64 / 365.25,
            sex="F",
            origin=HOSPITAL,
        ),
        # It has no reading.
        Entry(
            root / "CXR_png" / "CHNCXR_0400_1.png",
            "other",
            finding="tuberculosis",
            modality="X-ray",
            origin=HOSPITAL,
        ),
    ]
    assert not problems


@pytest.mark.parametrize(
    ("text", "age", "sex"),
    [
        ("femal 32yrs\nnormal", 32.0, "F"),
        ("female24yrs\nnormal", 24.0, "F"),
        ("Male, 28 years\nnormal", 28.0, "M"),
        ("male 16month\nnormal", 16 / 12, "M"),
        ("male 42\nnormal", None, "M"),
        ("male 420yrs\nnormal", None, "M"),
        ("30yrs", 30.0, None),
        ("35 mm nodule", None, None),
        ("\n \nfemale 30yrs", 30.0, "F"),
        ("", None, None),
        ("male\x0035yrs", None, None),
    ],
)
def test_what_a_reading_does_not_say_plainly_is_unknown(
    root: Path, text: str, age: float | None, sex: str | None
) -> None:
    (root / "ClinicalReadings" / "CHNCXR_0001_0.txt").write_text(text)
    entries, problems = index(root)
    assert (entries[0].age, entries[0].sex) == (age, sex)
    assert not problems


def test_masks_and_other_files_are_left_out_by_name(root: Path, draw: Callable[..., Path]) -> None:
    draw("mask/CHNCXR_0001_0_mask.png")
    other = draw("CXR_png/CHNCXR_0001_0_mask.png")
    (root / "CXR_png" / "Thumbs.db").touch()
    imported = import_source("shenzhen", root)
    assert [Path(path).name for path in imported.manifest.frame["path"]] == [
        "CHNCXR_0001_0.png",
        "CHNCXR_0327_1.png",
        "CHNCXR_0400_1.png",
    ]
    assert {problem.path for problem in imported.problems} == {
        str(other),
        str(root / "CXR_png" / "Thumbs.db"),
    }
    assert not any(problem.failed for problem in imported.problems)
    assert imported.manifest.frame["patient"].isna().all()


def test_another_folder_is_refused(tmp_path: Path) -> None:
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    with refuses("label-map-not-taken", "shenzhen"):
        list(SOURCES["shenzhen"].entries(tmp_path, {"1": "other"}))
