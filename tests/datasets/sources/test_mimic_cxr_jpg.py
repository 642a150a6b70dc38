import gzip
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem

METADATA = (
    "dicom_id,subject_id,study_id,PerformedProcedureStepDescription,ViewPosition,Rows,Columns,"
    "StudyDate,StudyTime,ProcedureCodeSequence_CodeMeaning,ViewCodeSequence_CodeMeaning,"
    "PatientOrientationCodeSequence_CodeMeaning\n"
)
FINDINGS = (
    "subject_id,study_id,Atelectasis,Cardiomegaly,Consolidation,Edema,Enlarged Cardiomediastinum,"
    "Fracture,Lung Lesion,Lung Opacity,No Finding,Pleural Effusion,Pleural Other,Pneumonia,"
    "Pneumothorax,Support Devices\n"
)
SPLIT = "dicom_id,study_id,subject_id,split\n"


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["mimic-cxr-jpg"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def write(root: Path, name: str, text: str) -> Path:
    """Writes a table as it is published."""
    path = root / f"mimic-cxr-2.0.0-{name}.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return path


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / "files" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "files" / name).touch()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    touch(
        tmp_path,
        "p10/p10000032/s50414267/a.jpg",
        "p10/p10000032/s50414267/b.jpg",
        "p11/p11000001/s51000001/c.jpg",
    )
    write(
        tmp_path,
        "metadata",
        METADATA + "a,10000032,50414267,CHEST (PA AND LAT),PA,3056,2544,21800506,213014.531,"
        "CHEST (PA AND LAT),postero-anterior,Erect\n"
        'b,10000032,50414267,"CHEST (PA AND LAT)",LATERAL,3056,2544,21800506,213014.531,,,Erect\n'
        "c,11000001,51000001,CHEST (PORTABLE AP),AP,2544,3056,21800506,213014.5,,,Recumbent\n"
        "d,12000001,52000001,,AP,1,1,2,3,,,\n",
    )
    write(
        tmp_path,
        "chexpert",
        FINDINGS + "10000032,50414267,,,,,,,,,1.0,,,,,1.0\n11000001,51000001,,,,1.0,,,,,,,,1.0,,\n",
    )
    write(
        tmp_path,
        "split",
        SPLIT
        + "a,50414267,10000032,train\nb,50414267,10000032,train\nc,51000001,11000001,validate\n",
    )
    return tmp_path


def test_the_published_folder(root: Path) -> None:
    entries, problems = index(root)
    study = root / "files" / "p10" / "p10000032" / "s50414267"
    assert entries == [
        Entry(
            study / "a.jpg",
            "normal",
            finding="No Finding|Support Devices",
            patient="10000032",
            view="PA",
            modality="X-ray",
            split="train",
            origin="Beth Israel Deaconess Medical Center, Boston, USA",
        ),
        entries[0]._replace(path=study / "b.jpg", view="lateral"),
        entries[0]._replace(
            path=root / "files" / "p11" / "p11000001" / "s51000001" / "c.jpg",
            label="pneumonia",
            finding="Edema|Pneumonia",
            patient="11000001",
            view="AP supine",
            split="val",
        ),
    ]
    gone = "files/p12/p12000001/s52000001/d.jpg"
    assert problems == [Problem(gone, "its row has no image here", failed=False)]


def test_unpacked_tables_come_first(root: Path) -> None:
    text = FINDINGS + "10000032,50414267,1.0,,,,,,,,,,,,,\n11000001,51000001,,,,,,,,,,,,-1.0,,\n"
    (root / "mimic-cxr-2.0.0-chexpert.csv").write_text(text)
    entries, problems = index(root)
    assert [entry.label for entry in entries] == ["other", "other"]
    assert [(p.reason, p.failed) for p in problems] == [
        ("its pneumonia is uncertain", False),
        ("its row has no image here", False),
    ]


def test_studies_without_findings_views_without_a_name_and_patients_without_a_split(
    root: Path,
) -> None:
    write(root, "metadata", METADATA + "a,10000032,50414267,,SWIMMERS,1,1,2,3,,,\n"
          "c,11000001,51000001,,,1,1,2,3,,,Recumbent\n")  # fmt: skip
    write(root, "chexpert", FINDINGS + "10000032,50414267,1.0,,,,,,,,,,,,,\n")
    write(root, "split", SPLIT)
    entries, problems = index(root)
    assert [(e.view, e.split) for e in entries] == [(None, None)]
    name = "files/p11/p11000001/s51000001/c.jpg"
    assert problems == [Problem(name, "its study has no findings", failed=False)]


def test_rows_that_name_no_file_are_named(root: Path) -> None:
    table = write(
        root,
        "metadata",
        METADATA + "a,,50414267,,PA,1,1,2,3,,,\n../../x,10000032,../../..,,PA,1,1,2,3,,,\n",
    )
    entries, problems = index(root)
    assert not entries
    assert all(problem.failed for problem in problems)
    assert problems[0] == Problem(f"{table}, line 2", "it names no image, study or patient")
    assert "lies outside" in problems[1].reason


@pytest.mark.parametrize(
    ("name", "text", "refused"),
    [
        ("chexpert", FINDINGS.replace(",Edema", ""), ("column-missing", "Edema")),
        (
            "chexpert",
            FINDINGS.strip() + f",Covid\n1,2{',' * 15}\n",
            ("finding-unknown", "line 2", "'Covid'"),
        ),
        ("chexpert", FINDINGS + f"1,2,3{',' * 13}\n", ("finding-value-unknown", "line 2", "'3'")),
        (
            "chexpert",
            FINDINGS + "1,2,1.0\n",
            ("csv-row-length", "line 2", "it has fewer or more values than"),
        ),
        ("split", SPLIT + "a,2,1,dev\n", ("split-value-unknown", "line 2", "'dev'")),
        (
            "split",
            SPLIT + "a,2,1,train\nb,2,1,test\n",
            ("patient-in-several-splits", "line 3", "1"),
        ),
    ],
)
def test_tables_that_are_not_usable(
    root: Path, name: str, text: str, refused: tuple[str, ...]
) -> None:
    write(root, name, text)
    with refuses(*refused):
        index(root)


def test_compressed_tables_that_are_cut_short_or_none(root: Path) -> None:
    table = root / "mimic-cxr-2.0.0-chexpert.csv.gz"
    data = table.read_bytes()
    for damaged in (data[:-20], b"<html>", data[:30] + b"\xff" * 30 + data[60:]):
        table.write_bytes(damaged)
        with refuses("file-unreadable"):
            index(root)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with refuses("file-missing", "mimic-cxr-2.0.0-metadata.csv.gz"):
        index(tmp_path)
    with refuses("label-map-not-taken", "mimic-cxr-jpg"):
        list(SOURCES["mimic-cxr-jpg"].entries(tmp_path, {"Edema": "other"}))
