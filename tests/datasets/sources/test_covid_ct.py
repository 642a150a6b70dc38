from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.source import SOURCES, Entry, Problem
from pulmo.datasets.sources.covid_ct import MISLABELLED, paper_of
from pulmo.datasets.split import check_split
from pulmo.workflows.options.data import SplitOptions
from pulmo.workflows.split import split

PREPRINT = "2020.02.25.20021568"
COLUMNS = ("File name", "Patient ID", "Age", "Gender", "Location", "Time", "Captions")
TALAROMYCES = f"{next(iter(MISLABELLED))}-p1-12%0"

# Three images of a preprint on two sides, of two patients; one of a journal without a page.
SHEET: list[tuple[object, ...]] = [
    (
        f"{PREPRINT}-p21-73%1.png",
        "Patient 1",
        41,
        "M ",
        "Wuhan",
        "day 6 after the onset of illness",
    ),
    (f"{PREPRINT}-p22-74", "Patient 1", "40+", "F", "Wuhan", "day 6"),
    (f"{PREPRINT}-p9-2.png", "Patient 2", 1.0, None, "Wuhan", "Illness Day 8, Hospital Day 0"),
    (
        "PIIS0140673620303603%3.png",
        "Patient 3",
        "Young Child",
        "M",
        None,
        " On the day of admission ",
    ),
    (None, None, None, None, None, None, "a caption"),
    (TALAROMYCES, "Patient 216"),
    (f"{PREPRINT}-p99-1.png", "Patient 4"),
]
LISTS = {
    "COVID/trainCT_COVID": f"{PREPRINT}-p21-73%1.png\n{PREPRINT}-p22-74.png\n",
    "COVID/valCT_COVID": "",
    "COVID/testCT_COVID": f"{PREPRINT}-p9-2.png\nPIIS0140673620303603%3.png",
    "NonCOVID/trainCT_NonCOVID": "12.jpg\r\n",
    "NonCOVID/valCT_NonCOVID": "71%0.jpg\r\n",
    "NonCOVID/testCT_NonCOVID": "",
}
OTHERS = (
    ",image name,patient id\n0,12.jpg,crawled_patient_12\n1,71%0.jpg,medpix_patient_9\n2,9.png,\n"
)


@pytest.fixture
def root(tmp_path: Path, draw: Callable[..., Path]) -> Path:
    rows = [(*row, *[None] * (len(COLUMNS) - len(row))) for row in SHEET]
    table = pd.DataFrame(rows, columns=list(COLUMNS), dtype=object)
    table.to_excel(tmp_path / "COVID-CT-MetaInfo.xlsx", index=False)
    (tmp_path / "NonCOVID-CT-MetaInfo.csv").write_text(OTHERS)
    for name, text in LISTS.items():
        path = tmp_path / "Data-split" / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    for row in SHEET[:4]:
        draw(f"Images-processed/CT_COVID/{str(row[0]).removesuffix('.png')}.png")
    draw(f"Images-processed/CT_COVID/{TALAROMYCES}.png")
    folder = tmp_path / "Images-processed" / "CT_NonCOVID"
    folder.mkdir()
    generator = np.random.default_rng(1)
    for name in ("12.jpg", "71%0.jpg", "9.png"):
        pixels = generator.integers(0, 255, (40, 32), np.uint8)
        # As published: the data of a JPEG image under each name.
        Image.fromarray(pixels).save(folder / name, format="JPEG")
    return tmp_path


def index(root: Path) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["covid-ct"].entries(root, {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


def test_both_tables_and_the_lists_are_read(root: Path) -> None:
    entries, problems = index(root)
    covid = root / "Images-processed" / "CT_COVID"
    assert entries[0] == Entry(
        covid / f"{PREPRINT}-p21-73%1.png",
        "covid",
        finding="COVID-19",
        patient="Patient 1",
        view="axial",
        modality="CT",
        age=41.0,
        sex="M",
        split="train",
        origin=f"10.1101/{PREPRINT}",
        offset=6.0,
        group=PREPRINT,
    )
    assert [
        (e.path.name, e.patient, e.age, e.sex, e.split, e.offset, e.group) for e in entries[1:4]
    ] == [
        (f"{PREPRINT}-p22-74.png", "Patient 1", None, "F", "train", None, PREPRINT),
        (f"{PREPRINT}-p9-2.png", "Patient 2", 1.0, None, "test", 8.0, PREPRINT),
        (
            *("PIIS0140673620303603%3.png", "Patient 3", None, "M", "test"),
            *(0.0, "PIIS0140673620303603"),
        ),
    ]
    assert [(e.path.name, e.label, e.patient, e.split, e.origin, e.group) for e in entries[4:]] == [
        ("12.jpg", "other", "crawled_patient_12", "train", None, None),
        ("71%0.jpg", "other", "medpix_patient_9", "val", "MedPix", None),
        ("9.png", "other", None, None, None, None),
    ]
    assert [(problem.reason, problem.failed) for problem in problems] == [
        ("it names no file", False),
        (MISLABELLED[next(iter(MISLABELLED))], False),
        ("its row has no image here", False),
    ]


def test_a_publication_is_on_one_side_although_it_is_published_on_two(
    root: Path, tmp_path: Path
) -> None:
    manifest = import_source("covid-ct", root).manifest
    groups = dict(
        zip(manifest.frame["path"].map(lambda p: Path(p).name), manifest.groups, strict=True)
    )
    papers = [groups[f"{PREPRINT}-{page}.png"] for page in ("p21-73%1", "p22-74", "p9-2")]
    assert len(set(papers)) == 1
    assert len(set(groups.values())) == 5
    with refuses("split-leaks"):
        check_split(manifest)
    done = split(manifest, tmp_path / "kept.parquet", SplitOptions(keep_official=True))
    assert done.left_out["in a group with images that are kept on another side"] == 2
    kept = done.manifest.frame.set_index(done.manifest.frame["path"].map(lambda p: Path(p).name))
    assert kept.loc[f"{PREPRINT}-p9-2.png", "split"] == "test"


@pytest.mark.parametrize(
    ("time", "offset"),
    [
        ("day 5  from symptom onse", 5.0),
        ("7th day of the course of disease", 7.0),
        ("day 4-5 after admission", None),
        ("10 days", None),
        ("day 10", None),
        ("7", None),
    ],
)
def test_an_offset_is_exact_or_unknown(root: Path, time: str, offset: float | None) -> None:
    row = (*SHEET[0][:5], time, None)
    table = pd.DataFrame([row], columns=list(COLUMNS), dtype=object)
    table.to_excel(root / "COVID-CT-MetaInfo.xlsx", index=False)
    assert index(root)[0][0].offset == offset


def test_a_damaged_row_is_named(root: Path) -> None:
    rows = [("../x.png", "P", 1, "M", "", ""), (SHEET[0][0], "P", 1, "male", "", "")]
    pd.DataFrame(rows, columns=list(COLUMNS[:6]), dtype=object).to_excel(
        root / "COVID-CT-MetaInfo.xlsx", index=False
    )
    problems = index(root)[1]
    place = root / "COVID-CT-MetaInfo.xlsx"
    assert problems[1] == Problem(f"{place}, row 3", "its sex is 'male', not F, M or O")
    assert problems[0].path == f"{place}, row 2"
    assert problems[0].failed


def test_a_missing_column_or_list_is_refused(root: Path) -> None:
    (root / "Data-split" / "NonCOVID" / "valCT_NonCOVID.txt").unlink()
    with refuses("file-missing", "valCT_NonCOVID.txt"):
        index(root)
    pd.DataFrame([("a.png", "P")], columns=["File name", "Patient ID"]).to_excel(
        root / "COVID-CT-MetaInfo.xlsx", index=False
    )
    with refuses("column-missing", "Age, Gender, Time"):
        index(root)


@pytest.mark.parametrize(
    ("name", "paper"),
    [
        ("2020.03.04.20031047-p14-87%0.png", "2020.03.04.20031047"),
        ("2020.02.26.20027938-p6-80_1%1.png", "2020.02.26.20027938"),
        (
            "Comparison-of-different-samples-for-2019_2020_Inter-p1-21%3.png",
            "Comparison-of-different-samples-for-2019_2020_Inter",
        ),
        ("bmj.m606.full-p4-22%0.png", "bmj.m606.full"),
        ("PIIS0140673620301549_0%0.png", "PIIS0140673620301549"),
        ("slice.png", None),
    ],
)
def test_a_name_tells_the_publication(name: str, paper: str | None) -> None:
    assert paper_of(name) == paper
