from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem
from pulmo.datasets.sources.figure1 import patient_of

HEADER = (
    "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,"
    "artifacts/distortion,notes\n"
)


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["figure1"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("01.jpg", "02.jpeg", "03a.png", "03b.jpg", "20.jpg", "31.jpg", "44.jpg", "50.jpg"):
        (tmp_path / "images" / f"COVID-000{name}").touch()
    return tmp_path


def test_the_published_table_is_read(root: Path) -> None:
    (root / "metadata.csv").write_bytes(
        (
            HEADER + "COVID-00001,13,M,33,COVID-19,,,58,AP erect,X-ray,,a note\n"
            "COVID-00002,,M,50+,COVID-19,,,,PA,X-ray,,Fever 38° + cough.\n"
            "COVID-00003a,8,F,mid 50s,No finding,,39.1,90,AP,X-ray,,a year earlier\n"
            "COVID-00003b,a week,,,Pneumonia,,39.1,90,,X-ray,,low 90€ on 2 L\n"
            "COVID-00020,21,,39,COVID-19,,,,,X-ray,,covid 39yo 3rd week\n"
            "COVID-00044,,,,,,,,,X-ray,,primary tuberculosis infection\n"
            "COVID-00099,,,,COVID-19,,,,,X-ray,,\n"
        ).encode("windows-1252")
    )
    entries, problems = index(root)
    assert entries[0] == Entry(
        root / "images" / "COVID-00001.jpg",
        "covid",
        finding="COVID-19",
        patient="COVID-00001",
        view="AP",
        modality="X-ray",
        age=33.0,
        sex="M",
        offset=13.0,
    )
    assert [(e.path.name, e.label, e.patient, e.view, e.age, e.offset) for e in entries[1:]] == [
        ("COVID-00002.jpeg", "covid", "COVID-00002", "PA", None, None),
        ("COVID-00003a.png", "normal", "COVID-00003", "AP", None, 8.0),
        ("COVID-00003b.jpg", "pneumonia", "COVID-00003", None, None, None),
    ]
    assert problems == [
        Problem(
            "COVID-00020",
            "it is kermany's person1004_virus_1686, not an image of COVID-19",
            failed=False,
        ),
        Problem("COVID-00044", "its finding is not stated", failed=False),
        Problem("COVID-00099.jpg", "its row has no image here", failed=False),
    ]


def test_damaged_rows_are_named(root: Path) -> None:
    (root / "images" / "COVID-00050.png").touch()
    (root / "metadata.csv").write_text(
        HEADER + "COVID-00050,,,,COVID-19,,,,,X-ray,,\n"
        "COVID-00001,,male,,COVID-19,,,,,X-ray,,\n"
        "../../x,,,,COVID-19,,,,,X-ray,,\n"
    )
    entries, problems = index(root)
    assert not entries
    assert [(problem.reason, problem.failed) for problem in problems] == [
        ("it has 2 images; only one can be its own", True),
        ("its sex is 'male', not F, M or O", True),
        (f"../../x.jpg lies outside {root / 'images'}", True),
    ]


def test_a_finding_that_is_not_known_stops(root: Path) -> None:
    (root / "metadata.csv").write_text(HEADER + "COVID-00001,,,,Plague,,,,,X-ray,,\n")
    with refuses("finding-unknown", "'Plague'"):
        index(root)


def test_a_letter_counts_the_images_of_a_patient() -> None:
    names = ("COVID-00003a", "COVID-00003", "311b", "COVID-00003ab")
    assert [patient_of(name) for name in names] == [
        *("COVID-00003", "COVID-00003", "311b", "COVID-00003ab")
    ]
