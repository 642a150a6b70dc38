from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem

HEADER = (
    "patient_id,image_id,sex,age,size,weight,admission_offset,icu_admission_offset,"
    "icu_release_offset,death_offset,modality,projection,crp_offset,crp_val\n"
)


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["hannover"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "png").mkdir()
    for name in ("b343e657", "c9280a30", "53c9be49", "a4318ac9"):
        (tmp_path / "png" / f"{name}.png").touch()
    return tmp_path


def test_the_published_table_is_read(root: Path) -> None:
    (root / "data.csv").write_text(
        HEADER + "042f06a9,b343e657,m,,,,0,0.0,4.0,,CR,ap,0.0,5.0\n"
        "042f06a9,c9280a30,f,71,,,-2,-2.0,2.0,,DX,pa,0.0,-inf\n"
        ",53c9be49,,,,,,,,,CT,,,\n"
        "09ec853d,a4318ac9,m,,,,10,10.0,20.0,,CR,ap,10.0,46.0\n"
        "09ec853d,bd3ceeb6,w,,,,-2,-2.0,8.0,,CR,ap,-1.0,67.0\n"
    )
    entries, problems = index(root)
    assert entries[1] == Entry(
        root / "png" / "c9280a30.png",
        "covid",
        finding="COVID-19",
        patient="042f06a9",
        view="PA",
        modality="X-ray",
        age=71.0,
        sex="F",
        origin="Hannover Medical School, Hannover, Germany",
        licence="CC BY 3.0",
        offset=2.0,
    )
    assert [(e.patient, e.view, e.modality, e.sex, e.offset) for e in entries] == [
        ("042f06a9", "AP", "X-ray", "M", 0.0),
        ("042f06a9", "PA", "X-ray", "F", 2.0),
        (None, None, "CT", None, None),
    ]
    assert problems == [
        Problem("a4318ac9.png", "it was taken before the admission for COVID-19", failed=False),
        Problem("bd3ceeb6.png", "its row has no image here", failed=False),
    ]


def test_what_cannot_be_read_is_named(root: Path) -> None:
    (root / "data.csv").write_text(
        HEADER + "1,b343e657,x,,,,0,,,,CR,ap,,\n"
        "2,c9280a30,m,old,,,0,,,,CR,ap,,\n"
        "3,53c9be49,m,,,,soon,,,,CR,ap,,\n"
        "4,../data,m,,,,0,,,,CR,ap,,\n"
    )
    entries, problems = index(root)
    assert not entries
    assert [problem.reason for problem in problems] == [
        "its sex is 'x', not m, f or w",
        "its age 'old' is not a number of years from 0 to 130",
        "its offset 'soon' is not a number of days",
        f"../data.png lies outside {root / 'png'}",
    ]
    (root / "data.csv").write_text(HEADER + "1,b343e657,m,,,,0,,,,MR,ap,,\n")
    with refuses("modality-unknown", "'MR'"):
        index(root)
    (root / "data.csv").write_text("patientid,finding\n")
    with refuses("column-missing", "patient_id, image_id, sex, admission_offset"):
        index(root)
