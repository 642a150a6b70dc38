import shutil
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.boxes import Box
from pulmo.datasets.source import SOURCES, Entry, Problem

DATA = Path(__file__).parents[4] / "shared" / "data" / "darkcovidnet"
HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y]\n"
)
# As it is published: the header is cut at its commas and has three columns without a name.
BOXES = "Image Index,Finding Label,Bbox [x,y,w,h],,,\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["nih"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("001/images/00000001_000.png", "012/images/00000061_012.png"):
        path = tmp_path / f"images_{name}"
        path.parent.mkdir(parents=True)
        path.touch()
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(
        HEADER + "00000001_000.png,No Finding,0,1,58,M,PA,2682,2749,0.143,0.143\n"
        "00000061_012.png,Edema|Infiltration|Pneumonia,12,61,414,F,AP,3056,2544,0.139,0.139\n"
        "00000099_000.png,Hernia,0,99,40,F,PA,3056,2544,0.139,0.139\n"
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    (root / "BBox_List_2017.csv").write_text(
        BOXES + "00000061_012.png,Pneumonia,256,512.0,128,64\n"
        "00000061_012.png,Infiltrate,0,0,1024,1024,,,\n"
    )
    (root / "train_val_list.txt").write_text("00000061_012.png\n")
    (root / "test_list.txt").write_text("00000001_000.png\r\n00000099_000.png")
    entries, problems = index(root)
    clinic = "NIH Clinical Center, Bethesda, USA"
    assert entries == [
        Entry(
            root / "images_001" / "images" / "00000001_000.png",
            "normal",
            finding="No Finding",
            patient="1",
            view="PA",
            modality="X-ray",
            age=58.0,
            sex="M",
            split="test",
            origin=clinic,
        ),
        Entry(
            root / "images_012" / "images" / "00000061_012.png",
            "pneumonia",
            finding="Edema|Infiltration|Pneumonia",
            patient="61",
            view="AP",
            modality="X-ray",
            # 414 years are none.
            age=None,
            sex="F",
            split="train",
            origin=clinic,
            boxes=(
                Box("Pneumonia", 0.25, 0.5, 0.125, 0.0625),
                Box("Infiltrate", 0.0, 0.0, 1.0, 1.0),
            ),
        ),
    ]
    assert problems == [Problem("00000099_000.png", "its row has no image here", failed=False)]


def test_the_first_release_and_one_folder_of_images(root: Path) -> None:
    (root / "Data_Entry_2017_v2020.csv").unlink()
    (root / "images" / "deep").mkdir(parents=True)
    for image in sorted(root.glob("images_*/images/*")):
        image.rename(root / "images" / "deep" / image.name)
    (root / "Data_Entry_2017.csv").write_text(
        HEADER.strip().replace("Gender", "Sex")
        + ",\n00000001_000.png,Effusion|Mass,0,1,,,,2682,2749,0.143,0.143,\n"
        + "00000061_012.png,Nodule,0,1,60,F,XX,2682,2749,0.143,0.143,\n"
    )
    entries, problems = index(root)
    assert [(e.path.parent.name, e.label, e.age, e.sex, e.view, e.split) for e in entries] == [
        ("deep", "other", None, None, None, None),
        ("deep", "other", 60.0, "F", None, None),
    ]
    assert not problems


def test_rows_that_are_damaged_are_named_and_the_rest_is_done(root: Path) -> None:
    table = root / "Data_Entry_2017_v2020.csv"
    table.write_text(
        HEADER + "00000001_000.png\n"
        "00000001_000.png,Pneumonia|No Finding,0,1,58,M,PA,2682,2749,0.143,0.143\n"
        "00000001_000.png,Mass,0,1,58,male,PA,2682,2749,0.143,0.143\n"
        "00000061_012.png,Mass,0,,58,M,PA,2682,2749,0.143,0.143\n"
    )
    boxes = root / "BBox_List_2017.csv"
    boxes.write_text(BOXES + "00000061_012.png,Mass,900,1,200,10\n00000061_012.png,Mass\n")
    entries, problems = index(root)
    assert [(e.patient, e.boxes) for e in entries] == [(None, ())]
    assert all(problem.failed for problem in problems)
    assert [(p.path, p.reason) for p in problems] == [
        (f"{boxes}, line 2", "its box 900, 1, 200, 10 is not within 1024 x 1024 pixels"),
        (f"{boxes}, line 3", "its box , , ,  is not four numbers"),
        (f"{table}, line 2", "it ends early or names no image or no finding"),
        (f"{table}, line 3", "its findings contradict each other: Pneumonia|No Finding"),
        (f"{table}, line 4", "its sex is 'male', not F, M or O"),
    ]


def test_an_unknown_finding_stops_the_import_by_name(root: Path) -> None:
    table = root / "Data_Entry_2017_v2020.csv"
    table.write_text(HEADER + "00000001_000.png,Mass|Pneumonia?,0,1,58,M,PA,1,1,1,1\n")
    with refuses("finding-unknown", "line 2", "'Pneumonia?'"):
        index(root)


def test_what_is_missing_or_ambiguous_is_named(root: Path) -> None:
    with refuses("label-map-not-taken", "nih"):
        list(SOURCES["nih"].entries(root, {"Mass": "other"}))
    (root / "train_val_list.txt").write_text("a.png\nb.png\n")
    (root / "test_list.txt").write_text("b.png\n")
    with refuses("image-in-several-splits", "b.png", "train_val_list.txt, test_list"):
        index(root)
    (root / "images").mkdir()
    shutil.copy(root / "images_001" / "images" / "00000001_000.png", root / "images")
    with refuses("image-repeated", "00000001_000.png", "images", "images_001"):
        index(root)
    for folder in ("images", "images_001", "images_012"):
        shutil.rmtree(root / folder)
    with refuses("source-layout-unexpected"):
        index(root)
    (root / "Data_Entry_2017_v2020.csv").unlink()
    with refuses("file-missing", "Data_Entry_2017_v2020.csv"):
        index(root)


@pytest.mark.real
@pytest.mark.skipif(not DATA.is_dir(), reason="the real rows are not next to the project")
def test_nihs_own_rows(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("Data_Entry_2017_v2020.csv", "BBox_List_2017.csv"):
        shutil.copy(DATA / name, tmp_path)
    for image in (DATA / "X-Ray Image DataSet").glob("*/0*_*.png"):
        (tmp_path / "images" / image.name).touch()
    entries, problems = index(tmp_path)
    assert not problems
    labels = [entry.label for entry in entries]
    assert {label: labels.count(label) for label in labels} == {"normal": 500, "pneumonia": 500}
    assert sum(len(entry.boxes) for entry in entries) == 49
    assert {entry.view for entry in entries} == {"PA", "AP"}
    assert {entry.sex for entry in entries} == {"F", "M"}
    assert all(entry.patient == str(int(entry.path.name[:8])) for entry in entries)
    assert all(entry.age is not None for entry in entries)
