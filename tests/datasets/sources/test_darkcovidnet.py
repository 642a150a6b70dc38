from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.boxes import Box
from pulmo.datasets.source import SOURCES, Entry, Problem

ROWS = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
)
# As NIH publishes it, with names that are blank.
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["darkcovidnet"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "Covid-19/covid-19-pneumonia-2.jpg",
        "No_findings/00001280_004.png",
        "Pneumonia/00000061_012.png",
        "Pneumonia/00000061_015.png",
    ):
        path = tmp_path / "X-Ray Image DataSet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path


def test_without_nihs_tables_the_name_tells_the_patient(root: Path) -> None:
    entries, problems = index(root)
    assert [(e.label, e.finding, e.patient, e.origin) for e in entries] == [
        ("covid", "Covid-19", None, "cohen"),
        ("normal", "No_findings", "1280", "nih"),
        ("pneumonia", "Pneumonia", "61", "nih"),
        ("pneumonia", "Pneumonia", "61", "nih"),
    ]
    assert {e.modality for e in entries} == {"X-ray"}
    assert not problems
    assert index(root / "X-Ray Image DataSet") == (entries, [])


def test_nihs_tables_tell_findings_patient_view_age_and_boxes(root: Path) -> None:
    (root / "Data_Entry_2017_v2020.csv").write_text(
        ROWS + "00000061_012.png,Edema|Pneumonia,12,61,77,M,AP,3056,2544,0.139,0.139\n"
        "00001280_004.png,No Finding,4,1280,414,F,PA,2500,2048,0.168,0.168\n"
        "00030805_000.png,No Finding,0,30805,27,M,PA,2048,2500,0.171,0.171\n"
    )
    (root / "BBox_List_2017.csv").write_text(
        BOXES + "00000061_012.png,Pneumonia,256.0,512,128,64,,,\n"
        "00000061_012.png,Infiltrate,0,0,1024,1024,,,\n"
        "00013118_008.png,Atelectasis,225.08,547.02,86.78,79.19,,,\n"
    )
    entries, problems = index(root)
    assert not problems
    assert entries[1:] == [
        Entry(
            root / "X-Ray Image DataSet" / "No_findings" / "00001280_004.png",
            "normal",
            finding="No Finding",
            patient="1280",
            view="PA",
            modality="X-ray",
            age=None,
            sex="F",
            origin="nih",
        ),
        Entry(
            root / "X-Ray Image DataSet" / "Pneumonia" / "00000061_012.png",
            "pneumonia",
            finding="Edema|Pneumonia",
            patient="61",
            view="AP",
            modality="X-ray",
            age=77.0,
            sex="M",
            origin="nih",
            boxes=(
                Box("Pneumonia", 0.25, 0.5, 0.125, 0.0625),
                Box("Infiltrate", 0.0, 0.0, 1.0, 1.0),
            ),
        ),
        Entry(
            root / "X-Ray Image DataSet" / "Pneumonia" / "00000061_015.png",
            "pneumonia",
            finding="Pneumonia",
            patient="61",
            modality="X-ray",
            origin="nih",
        ),
    ]


def test_what_cannot_be_read_is_named(root: Path) -> None:
    (root / "X-Ray Image DataSet" / "No_findings" / "my image.png").touch()
    (root / "Data_Entry_2017_v2020.csv").write_text(
        ROWS + "00000061_012.png,Pneumonia,12,61,77,male,AP,3056,2544,0.139,0.139\n"
        "00000061_015.png,Pneumonia,12,61,77,M,AP,3056,2544,0.139,0.139,too,many\n"
    )
    (root / "BBox_List_2017.csv").write_text(
        BOXES + "00000061_015.png,Mass,a,1,1,1,,,\n00000061_015.png,Mass,1000,1,100,1,,,\n"
    )
    entries, problems = index(root)
    assert [(entry.path.name, entry.view) for entry in entries] == [
        ("covid-19-pneumonia-2.jpg", None),
        ("00001280_004.png", None),
        ("00000061_015.png", None),
    ]
    assert [Path(problem.path).name for problem in problems] == [
        *("BBox_List_2017.csv, line 2", "BBox_List_2017.csv, line 3"),
        *("my image.png", "00000061_012.png"),
    ]
    assert [problem.reason for problem in problems[2:]] == [
        "its name is not one of NIH's, such as 00000061_012.png",
        "its sex is 'male', not F, M or O",
    ]
    (root / "Data_Entry_2017_v2020.csv").write_text("Image Index\n")
    with refuses("column-missing", "Finding Labels, Patient ID"):
        index(root)


def test_a_class_that_the_set_does_not_have_is_refused(root: Path) -> None:
    (root / "X-Ray Image DataSet" / ".cache").mkdir()
    (root / "X-Ray Image DataSet" / "Tuberculosis").mkdir()
    with refuses("class-folder-unknown", "Tuberculosis"):
        index(root)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "X-Ray Image DataSet").mkdir()
    with refuses("source-layout-unexpected", "X-Ray Image DataSet", "Covid-19,No_findings"):
        index(tmp_path)
