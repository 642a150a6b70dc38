from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem

HEADER = (
    "Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Enlarged Cardiomediastinum,Cardiomegaly,"
    "Lung Opacity,Lung Lesion,Edema,Consolidation,Pneumonia,Atelectasis,Pneumothorax,"
    "Pleural Effusion,Pleural Other,Fracture,Support Devices\n"
)
SMALL = "CheXpert-v1.0-small/train"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["chexpert"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "train/patient00001/study1/view1_frontal.jpg",
        "train/patient00002/study2/view1_frontal.jpg",
        "train/patient00002/study2/view2_lateral.jpg",
        "train/patient00003/study1/view1_frontal.jpg",
        "valid/patient64541/study1/view1_frontal.jpg",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    (root / "train.csv").write_text(
        HEADER + f"{SMALL}/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,"
        "1.0,,,,,,,,,0.0,,,,1.0\n"
        f"{SMALL}/patient00002/study2/view1_frontal.jpg,Male,90,Frontal,PA,"
        ",,-1.0,1.0,,,-1.0,1.0,,,,,,\n"
        f"{SMALL}/patient00002/study2/view2_lateral.jpg,Male,90,Lateral,,"
        ",,1.0,,,,,0.0,,,,,,\n"
        f"{SMALL}/patient00003/study1/view1_frontal.jpg,Unknown,0,Frontal,LL,"
        ",,1.0,,,,,,,,,,,\n"
        f"{SMALL}/patient00004/study1/view1_frontal.jpg,Male,40,Frontal,AP,"
        "1.0,,,,,,,,,,,,,\n"
    )
    (root / "valid.csv").write_text(
        HEADER + "CheXpert-v1.0/valid/patient64541/study1/view1_frontal.jpg,Male,73,Frontal,AP,"
        "0.0,1.0,1.0,1.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0,0.0\n"
    )
    entries, problems = index(root)
    assert entries[0] == Entry(
        root / "train" / "patient00001" / "study1" / "view1_frontal.jpg",
        "normal",
        finding="No Finding|Support Devices",
        patient="patient00001",
        view="AP",
        modality="X-ray",
        age=68.0,
        sex="F",
        split="train",
        origin="Stanford Hospital, Stanford, USA",
    )
    assert [
        (e.label, e.finding, e.patient, e.view, e.age, e.sex, e.split) for e in entries[1:]
    ] == [
        ("pneumonia", "Lung Opacity|Pneumonia", "patient00002", "PA", 90.0, "M", "train"),
        ("other", "Cardiomegaly", "patient00002", "lateral", 90.0, "M", "train"),
        ("other", "Cardiomegaly", "patient00003", None, 0.0, None, "train"),
        (
            "other",
            "Enlarged Cardiomediastinum|Cardiomegaly|Lung Opacity",
            "patient64541",
            "AP",
            73.0,
            "M",
            "val",
        ),
    ]
    gone = "train/patient00004/study1/view1_frontal.jpg"
    assert problems == [Problem(gone, "its row has no image here", failed=False)]


def test_uncertain_and_empty_rows_are_left_out_by_rule(root: Path) -> None:
    path = "train/patient00001/study1/view1_frontal.jpg"
    (root / "train.csv").write_text(
        HEADER + f"{path},Female,68,Frontal,AP,,,1.0,,,,,-1.0,,,,,,\n"
        f"{path},Female,68,Frontal,AP,,,-1.0,,,,,,,,,,,\n"
        f"{path},Female,68,Frontal,AP,1.0,,,,,,,1.0,,,,,,\n"
    )
    assert index(root) == (
        [],
        [
            Problem(path, "its pneumonia is uncertain", failed=False),
            Problem(path, "no finding of it is positive", failed=False),
            Problem(path, "its findings contradict each other: No Finding|Pneumonia"),
        ],
    )


def test_rows_that_are_damaged_are_named_by_line(root: Path) -> None:
    path = f"{SMALL}/patient00001/study1/view1_frontal.jpg"
    findings = "1.0" + "," * 13
    table = root / "train.csv"
    table.write_text(
        HEADER + f"{path},Female\n"
        f"../secret.jpg,Female,68,Frontal,AP,{findings}\n"
        f"{path},F,68,Frontal,AP,{findings}\n"
        f"{path},Female,old,Frontal,AP,{findings}\n"
    )
    entries, problems = index(root)
    assert not entries
    assert [p.path for p in problems] == [f"{table}, line {line}" for line in (2, 3, 4, 5)]
    assert [p.reason for p in problems] == [
        "it has fewer or more values than the header has columns",
        "its path '../secret.jpg' is not one of chexpert's",
        "its sex is 'F', not Female, Male or Unknown",
        "its age 'old' is not a number of years from 0 to 130",
    ]


def test_an_image_that_a_link_leads_to_outside_is_none(root: Path, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside"
    outside.mkdir()
    (outside / "view1_frontal.jpg").touch()
    (root / "train" / "patient00009").mkdir()
    (root / "train" / "patient00009" / "study1").symlink_to(outside)
    (root / "train.csv").write_text(
        HEADER + f"train/patient00009/study1/view1_frontal.jpg,Male,3,Frontal,AP,1.0{',' * 13}\n"
    )
    entries, problems = index(root)
    assert not entries
    assert "lies outside" in problems[0].reason


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        (("Fracture", "Covid"), ("column-missing", "Fracture")),
        (("Support Devices\n", "Support Devices,Covid\n"), ("finding-unknown", "'Covid'")),
        ((",1.0,", ",2,"), ("finding-value-unknown", "line 2", "'2'")),
    ],
)
def test_other_findings_stop_the_import(
    root: Path, change: tuple[str, str], refused: tuple[str, ...]
) -> None:
    text = HEADER + f"{SMALL}/patient00001/study1/view1_frontal.jpg,Female,68,Frontal,AP,1.0"
    (root / "train.csv").write_text(f"{text}{',' * 13}\n".replace(*change))
    with refuses(*refused):
        index(root)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with refuses("source-layout-unexpected"):
        index(tmp_path)
    with refuses("label-map-not-taken", "chexpert"):
        list(SOURCES["chexpert"].entries(tmp_path, {"Edema": "other"}))
