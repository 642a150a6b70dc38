from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.source import SOURCES, Entry, Problem

COLLECTED = "BIMCV and other collections of COVID-19"
SIRM = "https://sirm.org/category/senza-categoria/covid-19/"
RSNA = "https://www.kaggle.com/c/rsna-pneumonia-detection-challenge/data"


def index(root: Path) -> list[Entry | Problem]:
    return list(SOURCES["radiography"].entries(root, {}))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in (
        "COVID/images/COVID-1.png",
        "COVID/images/COVID-2.png",
        "COVID/masks/COVID-1.png",
        "Normal/images/Normal-1.png",
        "Viral Pneumonia/images/Viral Pneumonia-1.png",
        "Lung_Opacity/images/Lung_Opacity-1.png",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path


def sheet(path: Path, rows: list[tuple[object, object]]) -> None:
    table = pd.DataFrame(rows, columns=["FILE NAME", "URL "])
    table.assign(FORMAT="PNG", SIZE="256*256").to_excel(path, index=False)


def test_labels_are_the_folders(root: Path) -> None:
    assert index(root) == [
        Entry(path, label, finding=path.parent.parent.name, modality="X-ray", origin=origin)
        for path, label, origin in (
            (root / "COVID/images/COVID-1.png", "covid", COLLECTED),
            (root / "COVID/images/COVID-2.png", "covid", COLLECTED),
            (root / "Normal/images/Normal-1.png", "normal", "rsna and kermany"),
            (root / "Viral Pneumonia/images/Viral Pneumonia-1.png", "viral", "kermany"),
            (root / "Lung_Opacity/images/Lung_Opacity-1.png", "other", "rsna"),
        )
    ]


def test_the_sheets_tell_the_origin_in_whatever_case_they_name_the_file(root: Path) -> None:
    sheet(root / "COVID.metadata.xlsx", [("COVID-1", SIRM), ("COVID-2", None), (None, SIRM)])
    sheet(root / "Normal.metadata.xlsx", [("NORMAL-1", f" {RSNA}")])
    entries = [item for item in index(root) if isinstance(item, Entry)]
    assert [e.origin for e in entries] == [SIRM, COLLECTED, RSNA, "kermany", "rsna"]


def test_a_sheet_that_is_none_is_a_sentence(root: Path) -> None:
    path = root / "COVID.metadata.xlsx"
    sheet(path, [("COVID-1", SIRM)])
    path.write_bytes(path.read_bytes()[:1000])
    with refuses("workbook-invalid", path):
        index(root)
    pd.DataFrame({"FILE": ["COVID-1"], 7: [SIRM]}).to_excel(path, index=False)
    with refuses("column-missing", "FILE NAME, URL", "FILE, 7"):
        index(root)


def test_a_class_that_the_set_does_not_have_is_refused(root: Path) -> None:
    (root / "Tuberculosis" / "images").mkdir(parents=True)
    with refuses("class-folder-unknown", "Tuberculosis"):
        index(root)


def test_a_folder_without_a_class_is_refused(tmp_path: Path) -> None:
    (tmp_path / "COVID").mkdir()
    with refuses("source-layout-unexpected", "COVID/images, Normal/images"):
        index(tmp_path)
