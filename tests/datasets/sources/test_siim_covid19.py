from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.boxes import Box, boxes_of_text
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem

STUDIES = (
    "id,Negative for Pneumonia,Typical Appearance,Indeterminate Appearance,Atypical Appearance\n"
)
IMAGES = "id,boxes,label,StudyInstanceUID\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["siim-covid19"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    draw("train/00a/111/a1.dcm", height=40, width=20, ViewPosition="AP", PatientAge="061Y")
    draw("train/00a/112/a2.dcm", height=40, width=20)
    draw("train/00b/113/b1.dcm")
    draw("train/00c/114/c1.dcm")
    draw("train/00d/115/d1.dcm")
    draw("test/00e/116/e1.dcm")
    (tmp_path / "train_study_level.csv").write_text(
        STUDIES + "00a_study,0,1,0,0\n00b_study,1,0,0,0\n00c_study,0,0,1,0\n00d_study,0,0,0,1\n"
    )
    (tmp_path / "train_image_level.csv").write_text(
        IMAGES
        + "a1_image,\"[{'x': 5.0, 'y': 10.0, 'width': 10.0, 'height': 20.0}, "
        + "{'x': -2.0, 'y': 0, 'width': 4.0, 'height': 50.0}]\",opacity 1 5 10 15 30,00a\n"
        + "a2_image,,none 1 0 0 1 1,00a\n"
        + "b1_image,,none 1 0 0 1 1,00b\n"
        + "c1_image,,none 1 0 0 1 1,00c\n"
        + "d1_image,,none 1 0 0 1 1,00d\n"
        + "x1_image,,none 1 0 0 1 1,00d\n"
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    assert entries[0] == Entry(
        root / "train" / "00a" / "111" / "a1.dcm",
        "pneumonia",
        finding="Typical Appearance",
        patient="00a",
        modality="X-ray",
        # The second one begins and ends beyond the image's edges.
        boxes=(Box("opacity", 0.25, 0.25, 0.5, 0.5), Box("opacity", 0.0, 0.0, 0.1, 1.0)),
    )
    assert [(e.path.stem, e.label, e.patient, e.boxes) for e in entries[1:]] == [
        ("a2", "pneumonia", "00a", ()),
        ("b1", "other", "00b", ()),
        ("c1", "pneumonia", "00c", ()),
        ("d1", "other", "00d", ()),
    ]
    assert problems == [Problem("x1", "its row has no image here", failed=False)]


def test_the_headers_facts_and_the_studys_group_are_in_the_manifest(root: Path) -> None:
    table = import_source("siim-covid19", root).manifest
    assert table.frame["group"].nunique() == table.frame["patient"].nunique() == 4
    assert (table.frame["view"][0], table.frame["age"][0]) == ("AP", 61.0)
    assert [len(boxes_of_text(text)) for text in table.frame["boxes"].dropna()] == [2]


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ("[{'x': 1}]", "its boxes are not a list"),
        ("[1]", "its boxes are not a list"),
        ("3", "its boxes are not a list"),
        ("[{'x': 'a', 'y': 1, 'width': 1, 'height': 1}]", "its boxes are not a list"),
        ("__import__('os')", "its boxes are not a list"),
        ("[" * 400, "its boxes are not a list"),
        ("[{'x': 90, 'y': 1, 'width': 5, 'height': 5}]", "outside of 20 x 40 pixels"),
        ("[{'x': 9, 'y': 1, 'width': -5, 'height': 5}]", "no rectangle"),
    ],
)
def test_a_box_that_is_none_is_named_and_the_image_stays(
    root: Path, boxes: str, reason: str
) -> None:
    (root / "train_image_level.csv").write_text(f'{IMAGES}a1_image,"{boxes}",,00a\n')
    entries, problems = index(root)
    assert [(entry.label, entry.boxes) for entry in entries] == [("pneumonia", ())]
    assert problems[0].path == "a1"
    assert reason in problems[0].reason


def test_an_image_whose_size_cannot_be_read_loses_its_boxes_only(root: Path) -> None:
    (root / "train/00a/111/a1.dcm").write_bytes(b"no DICOM")
    entries, problems = index(root)
    assert entries[0].boxes == ()
    assert problems[0].reason.startswith("its boxes are left out: ")


def test_rows_that_contradict_or_name_nothing(root: Path, draw: Callable[..., Path]) -> None:
    draw("train/00b/999/b1.dcm")
    (root / "train_study_level.csv").write_text(
        STUDIES + "00a_study,1,0,0,0\n00b_study,0,1,0,0\n00c_study,0,1,1,0\n00d_study,0,0,0,0\n"
        "00b_study,0,1,0,0\n../x,0,1,0,0\n00e_study,0,1\n"
    )
    with (root / "train_image_level.csv").open("a") as file:
        file.write("a2_image,,,00a\n../../a_image,,,00a\nq_image,,,../..\n")
    entries, problems = index(root)
    assert [entry.path.stem for entry in entries] == ["a2"]
    table, images = root / "train_study_level.csv", root / "train_image_level.csv"
    one = "it does not give one grade 1 and the others 0"
    again = "the study 00b has a second row; the first one counts"
    assert [(p.path, p.reason, p.failed) for p in problems] == [
        (f"{table}, line 4", one, True),
        (f"{table}, line 5", one, True),
        (f"{table}, line 6", again, True),
        (f"{table}, line 7", "it names no study", True),
        (f"{table}, line 8", "it has fewer or more values than the header has columns", True),
        ("a1", "its study is negative for pneumonia, but it has boxes", True),
        ("b1", "it lies in 2 series of its study", True),
        ("c1", "its study has no grade in train_study_level.csv", False),
        ("d1", "its study has no grade in train_study_level.csv", False),
        ("x1", "its row has no image here", False),
        ("a2", "it has a second row; the first one counts", False),
        (f"{images}, line 9", "it names no image or no study", True),
        (f"{images}, line 10", "it names no image or no study", True),
    ]


def test_what_is_missing_or_unknown_is_named(root: Path) -> None:
    with refuses("label-map-not-taken", "siim-covid19"):
        list(SOURCES["siim-covid19"].entries(root, {"Typical Appearance": "covid"}))
    table = root / "train_study_level.csv"
    table.write_text(f"{STUDIES.strip()},Normal\n00a_study,0,1,0,0,0\n")
    with refuses("finding-unknown", "'Normal'"):
        index(root)
    table.write_text("id,Typical Appearance\n")
    with refuses("column-missing", "Negative for Pneumonia"):
        index(root)
    (root / "train").rename(root / "images")
    with refuses("source-layout-unexpected"):
        index(root)
