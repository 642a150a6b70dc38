"""Actualmed 2020: images of one Spanish provider, each with the reading of a radiologist."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pulmo.datasets.entries import image_inside, table_entries
from pulmo.datasets.source import About, Entry, Problem, Repository, refuse_map, source
from pulmo.datasets.sources.figure1 import chung_entry

_URL = "https://github.com/agchung/Actualmed-COVID-chestxray-dataset"
_REQUIRED = ("patientid", "finding", "view", "modality", "imagename")


@source(
    "actualmed",
    About(
        title="Chung 2020, Actualmed COVID-19 Chest X-ray Dataset Initiative",
        licence="for research only; no licence is named",
        size="238 images",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; ROOT then holds metadata.csv and images.",
        remote=Repository(
            "agchung/Actualmed-COVID-chestxray-dataset",
            "27240dd8dec9454bc97f9f3c0c432ef434de2517",
            ("metadata.csv", "images"),
            239,
        ),
    ),
)
def actualmed(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `metadata.csv` that have an image in `images/` and a stated finding.

    The findings are of the image, not of a swab: `No finding` is one without changes, `COVID-19`
    one that is compatible with it, and a blank is one that is inconclusive.

    Raises:
        InputError: `metadata.csv` is missing, is not UTF-8 or not CSV, or lacks a column, or a
            finding is not in the table of labels.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "actualmed")
    table = root / "metadata.csv"
    yield from table_entries(table, _REQUIRED, partial(_entry, root, table))


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    name = row["imagename"]
    path = image_inside(root / "images", name)
    if isinstance(path, Problem):
        return path
    return chung_entry(table, row, path, name=name, patient=row["patientid"])
