from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem

HEADER = (
    "patientid,offset,sex,age,finding,survival,temperature,pO2 saturation,view,modality,imagename,"
    "artifacts/distortion,notes\n"
)


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["actualmed"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    for name in ("CR.1.2.100.png", "CR.1.2.101.png", "DX.1.2.102.png", "DX.1.2.103.png"):
        (tmp_path / "images" / name).touch()
    return tmp_path


def test_the_published_table_is_read(root: Path) -> None:
    (root / "metadata.csv").write_text(
        HEADER + 'ANON196,,,,,,,,PA,X-ray,CR.1.2.100.png,,"Inconclusive, date taken: 20200313"\n'
        'ANON56,,,,No finding,,,,PA,X-ray,CR.1.2.101.png,,"Negative, date taken: 20200317"\n'
        'ANON196,4,F,61,COVID-19,,,,AP,X-ray,DX.1.2.102.png,,", date taken: 20200318"\n'
        "ANON7,,,60s,Pneumonia,,,,,X-ray,DX.1.2.103.png,,\n"
        "ANON8,,,,COVID-19,,,,,X-ray,gone.png,,\n"
    )
    entries, problems = index(root)
    assert [(e.label, e.patient, e.view, e.age, e.sex, e.offset) for e in entries] == [
        ("normal", "ANON56", "PA", None, None, None),
        ("covid", "ANON196", "AP", 61.0, "F", 4.0),
        ("pneumonia", "ANON7", None, None, None, None),
    ]
    assert [e.path.name for e in entries] == ["CR.1.2.101.png", "DX.1.2.102.png", "DX.1.2.103.png"]
    assert {e.modality for e in entries} == {"X-ray"}
    assert problems == [
        Problem("CR.1.2.100.png", "its finding is not stated", failed=False),
        Problem("gone.png", "its row has no image here", failed=False),
    ]


def test_what_cannot_be_read_is_named(root: Path) -> None:
    (root / "metadata.csv").write_text(HEADER + "ANON1,,X,,COVID-19,,,,,X-ray,CR.1.2.100.png,,\n")
    assert index(root)[1] == [
        Problem(f"{root / 'metadata.csv'}, line 2", "its sex is 'X', not F, M or O")
    ]
    (root / "metadata.csv").write_text(HEADER + "ANON1,,,,Plague,,,,,X-ray,CR.1.2.100.png,,\n")
    with refuses("finding-unknown", "'Plague'"):
        index(root)
    (root / "metadata.csv").write_text(HEADER.replace("imagename", "image"))
    with refuses("column-missing", "imagename"):
        index(root)
