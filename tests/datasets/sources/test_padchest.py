import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem

TABLE = "PADCHEST_chest_x_ray_images_labels_160K_01.02.19.csv"
# The first column has no name.
HEADER = (
    ",ImageID,ImageDir,StudyDate_DICOM,StudyID,PatientID,PatientBirth,PatientSex_DICOM,"
    "ViewPosition_DICOM,Projection,MethodProjection,Pediatric,MethodLabel,Report,Labels\n"
)


def row(image: str, labels: str, **other: str) -> str:
    cell = {
        "folder": "0",
        "day": "20140915",
        "patient": "8398604886942923316379882356814609870",
        "birth": "1930.0",
        "sex": "F",
        "view": "PA",
        "report": "sin hallazgos",
    } | other
    return (
        f"7,{image}.png,{cell['folder']},{cell['day']},205,{cell['patient']},{cell['birth']},"
        f"{cell['sex']},POSTEROANTERIOR,{cell['view']},Manual review of DICOM fields,No,Physician,"
        f'{cell["report"]},"{labels}"\n'
    )


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["padchest"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    for name in ("0/a", "0/b", "54/c"):
        draw(f"{name}.png")
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    text = (
        HEADER
        + row("a", "['normal']")
        + row("b", "['pneumonia', ' pleural effusion ', 'unchanged']", view="AP_horizontal")
        + row("c", "['COPD signs', '', 'pneumoperitoneo']", folder="54", view="L", sex="M")
        + row("d", "['normal']", folder="54")
    )
    (root / f"{TABLE}.gz").write_bytes(gzip.compress(text.encode()))
    entries, problems = index(root)
    assert entries == [
        Entry(
            root / "0" / "a.png",
            "normal",
            finding="normal",
            patient="8398604886942923316379882356814609870",
            view="PA",
            modality="X-ray",
            age=84.0,
            sex="F",
            origin="Hospital San Juan de Alicante, Spain",
        ),
        entries[0]._replace(
            path=root / "0" / "b.png",
            label="pneumonia",
            finding="pneumonia|pleural effusion|unchanged",
            view="AP supine",
        ),
        entries[0]._replace(
            path=root / "54" / "c.png",
            label="other",
            finding="COPD signs|pneumoperitoneo",
            view="lateral",
            sex="M",
        ),
    ]
    assert problems == [Problem("54/d.png", "its row has no image here", failed=False)]
    table = import_source("padchest", root).manifest
    assert table.frame["bits"].tolist() == [16, 16, 16]
    assert table.frame["group"].nunique() == 1


def test_an_unpacked_table_with_a_byte_of_latin_1_comes_first(root: Path) -> None:
    (root / f"{TABLE}.gz").write_bytes(b"<html>")
    text = HEADER + row("a", "['atypical pneumonia']", report="t\xf3rax")
    (root / TABLE).write_bytes(text.encode("latin-1"))
    entries, problems = index(root)
    assert [entry.label for entry in entries] == ["pneumonia"]
    assert not problems


@pytest.mark.parametrize(
    ("day", "birth", "age"),
    [
        ("20140915", "2014", 0.0),
        ("20140915", "1890.0", 124.0),
        ("20140915", "1800.0", None),
        ("20140915", "2015.0", None),
        ("20140915", "", None),
        ("", "1930.0", None),
        ("2014", "nan", None),
        ("unknown", "1930.0", None),
    ],
)
def test_an_age_that_is_ambiguous_is_unknown(
    root: Path, day: str, birth: str, age: float | None
) -> None:
    (root / TABLE).write_text(HEADER + row("a", "['normal']", day=day, birth=birth, sex="U"))
    entries, problems = index(root)
    assert [(entry.age, entry.sex) for entry in entries] == [(age, None)]
    assert not problems


@pytest.mark.parametrize(
    ("labels", "view", "reason"),
    [
        ("['exclude']", "PA", "the set excludes it"),
        ("['normal', 'suboptimal study']", "PA", "its study is suboptimal"),
        ("['normal']", "COSTAL", "its projection is a view of the ribs"),
        ("['normal']", "EXCLUDE", "its projection is excluded by the set"),
        ("['unchanged', '']", "PA", "no finding of it is stated"),
        ("[]", "PA", "no finding of it is stated"),
        ("", "PA", "its findings are not stated"),
        (
            "['normal', 'pacemaker']",
            "PA",
            "its findings name normal and others: normal|pacemaker",
        ),
    ],
)
def test_images_without_a_plain_finding_are_left_out_by_rule(
    root: Path, labels: str, view: str, reason: str
) -> None:
    (root / TABLE).write_text(HEADER + row("a", labels, view=view))
    assert index(root) == ([], [Problem("a.png", reason, failed=False)])


def test_rows_that_are_damaged_or_doubled_are_named(root: Path) -> None:
    table = root / TABLE
    table.write_text(
        HEADER
        + row("a", "['normal']")
        + row("a", "['normal']")
        + row("b", "['pneumonia', 'nod")
        + row("b", "normal")
        + row("../a", "['normal']", folder="..")
        + "8,b.png,0\n"
        + row("b", "['nodule']", folder="")
        + row("b", "['nodule']", view="UNK")
    )
    entries, problems = index(root)
    assert [(entry.label, entry.view) for entry in entries] == [("normal", "PA"), ("other", None)]
    assert [(p.path, p.failed) for p in problems] == [
        ("a.png", False),
        (f"{table}, line 4", True),
        (f"{table}, line 5", True),
        (f"{table}, line 6", True),
        (f"{table}, line 7", True),
        (f"{table}, line 8", True),
    ]


def test_what_is_missing_or_unknown_is_named(root: Path) -> None:
    with refuses("file-missing", TABLE):
        index(root)
    with refuses("label-map-not-taken", "padchest"):
        list(SOURCES["padchest"].entries(root, {"normal": "normal"}))
    (root / TABLE).write_text(HEADER + row("a", "['neumonia']"))
    with refuses("finding-unknown", "'neumonia'"):
        index(root)
    (root / TABLE).write_text("ImageID,ImageDir\n")
    with refuses("column-missing", "PatientID, Projection, Labels"):
        index(root)
