import json
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.boxes import Box
from pulmo.datasets.source import SOURCES, Entry, Problem

LABELS = "patientId,x,y,width,height,Target\n"
CLASSES = "patientId,class\n"
MAPPING = "pneumonia-challenge-dataset-mappings_2018.json"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["rsna"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stage_2_train_images").mkdir()
    for name in ("aaaa", "bbbb", "cccc"):
        (tmp_path / "stage_2_train_images" / f"{name}.dcm").touch()
    # One row a box in both tables, as they are published.
    (tmp_path / "stage_2_train_labels.csv").write_text(
        LABELS + "aaaa,,,,,0\n"
        "bbbb,256.0,128.0,64.0,512.0,1\n"
        "bbbb,512.0,128.0,64.0,512.0,1\n"
        "cccc,,,,,0\n"
        "dddd,,,,,0\n"
    )
    (tmp_path / "stage_2_detailed_class_info.csv").write_text(
        CLASSES + "aaaa,No Lung Opacity / Not Normal\n"
        "bbbb,Lung Opacity\n"
        "bbbb,Lung Opacity\n"
        "cccc,Normal\n"
        "dddd,Normal\n"
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    images = root / "stage_2_train_images"
    assert entries == [
        Entry(
            images / "aaaa.dcm",
            "other",
            finding="No Lung Opacity / Not Normal",
            patient="aaaa",
            origin="nih",
        ),
        Entry(
            images / "bbbb.dcm",
            "pneumonia",
            finding="Lung Opacity",
            patient="bbbb",
            origin="nih",
            boxes=(
                Box("Lung Opacity", 0.25, 0.125, 0.0625, 0.5),
                Box("Lung Opacity", 0.5, 0.125, 0.0625, 0.5),
            ),
        ),
        Entry(images / "cccc.dcm", "normal", finding="Normal", patient="cccc", origin="nih"),
    ]
    assert problems == [Problem("dddd", "its row has no image here", failed=False)]


def test_rsnas_mapping_tells_nihs_patients(root: Path) -> None:
    rows = [
        {"subset_img_id": "aaaa", "img_id": "00000061_012.png", "orig_labels": ["Mass"]},
        {"subset_img_id": "cccc", "img_id": "00000061_015.png", "orig_labels": []},
    ]
    (root / MAPPING).write_text(json.dumps(rows))
    entries, _ = index(root)
    assert [entry.patient for entry in entries] == ["61", "bbbb", "61"]


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        "{",
        '{"a": 1}',
        "[1]",
        "[{}]",
        '[{"subset_img_id": "a", "img_id": 3}]',
        '[{"subset_img_id": "a", "img_id": "x_1.png"}]',
    ],
)
def test_another_file_in_the_mappings_place_is_refused(root: Path, text: str) -> None:
    (root / MAPPING).write_text(text)
    with refuses("image-mapping-invalid"):
        index(root)


def test_rows_that_are_damaged_or_contradict_are_named(root: Path) -> None:
    labels = root / "stage_2_train_labels.csv"
    labels.write_text(
        LABELS + "aaaa,,,,,1\n"
        "aaaa,1,1,1,1,1\n"
        "bbbb,1000,1,100,1,1\n"
        "bbbb,1,1,1,1,1\n"
        "bbbb,,,,,0\n"
        "cccc,,,,,maybe\n"
        "../x,,,,,0\n"
    )
    (root / "stage_2_detailed_class_info.csv").write_text(
        CLASSES + "aaaa,Normal\nbbbb,Lung Opacity\nbbbb,Normal\ncccc,Normal\n../x,Normal\n"
    )
    entries, problems = index(root)
    assert [entry.patient for entry in entries] == ["bbbb"]
    assert entries[0].boxes == (Box("Lung Opacity", *[1 / 1024] * 4),)
    assert all(problem.failed for problem in problems)
    assert [(p.path, p.reason) for p in problems] == [
        (f"{labels}, line 2", "its box , , ,  is not four numbers"),
        (f"{labels}, line 4", "its box 1000, 1, 100, 1 is not within 1024 x 1024 pixels"),
        (f"{labels}, line 6", "its Target is '0', and '1' in a row before"),
        (f"{labels}, line 7", "its Target is 'maybe', not 0 or 1"),
        ("aaaa", "its class is Normal, its Target means Lung Opacity"),
        ("bbbb", "it is Lung Opacity and Normal; the first one counts"),
        ("cccc", "it has a class but no row in stage_2_train_labels.csv"),
        ("../x", f"../x.dcm lies outside {root / 'stage_2_train_images'}"),
    ]


def test_what_is_missing_or_unknown_is_named(root: Path) -> None:
    with refuses("label-map-not-taken", "rsna"):
        list(SOURCES["rsna"].entries(root, {"Normal": "normal"}))
    classes = root / "stage_2_detailed_class_info.csv"
    classes.write_text(CLASSES + "aaaa,Opacity\n")
    with refuses("finding-unknown", "'Opacity'", "aaaa"):
        index(root)
    classes.write_text("patientId\naaaa\n")
    with refuses("column-missing", "class"):
        index(root)
    (root / "stage_2_train_images").rename(root / "images")
    with refuses("source-layout-unexpected", "stage_2_train_images"):
        index(root)
