"""Winther et al. 2020: the COVID-19 Image Repository of Hannover Medical School."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.entries import image_inside, table_entries
from pulmo.datasets.rows import age_in_years, offset_in_days
from pulmo.datasets.source import About, Entry, Problem, Repository, refuse_map, source

_URL = "https://github.com/ml-workgroup/covid-19-image-repository"
_REQUIRED = ("patient_id", "image_id", "sex", "admission_offset", "modality", "projection")
_LICENCE = "CC BY 3.0"
# The read-me writes w, the table f.
_SEXES = {"m": "M", "f": "F", "w": "F", "": None}
_VIEWS = {"pa": "PA", "ap": "AP"}
_MODALITIES = {"CR": "X-ray", "DX": "X-ray", "CT": "CT"}


@source(
    "hannover",
    About(
        title="Winther et al. 2020, COVID-19 Image Repository, Hannover Medical School",
        licence=_LICENCE,
        size="243 images",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; ROOT then holds data.csv and png.",
        remote=Repository(
            "ml-workgroup/covid-19-image-repository",
            "4025ea15f2987f03cf368a893f37121b7a43bd87",
            ("data.csv", "png"),
            244,
        ),
    ),
)
def hannover(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of `data.csv` that have an image in `png/`.

    All patients were in hospital with COVID-19, and the table names no finding of an image. So one
    that was taken before the admission is left out. The table counts the days from the image to
    the admission; the offset is the other way round.

    Raises:
        InputError: `data.csv` is missing, is not UTF-8 or not CSV, or lacks a column, or a
            modality is unknown.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "hannover")
    table = root / "data.csv"
    yield from table_entries(table, _REQUIRED, partial(_entry, root, table))


def _entry(root: Path, table: Path, row: Mapping[str, str]) -> Entry | Problem:
    path = image_inside(root / "png", f"{row['image_id']}.png")
    if isinstance(path, Problem):
        return path
    if row["modality"] not in _MODALITIES:
        raise InputError(
            "modality-unknown",
            f"{table}: the modality {row['modality']!r} does not occur in hannover.",
        )
    if row["sex"] not in _SEXES:
        raise ValueError(f"its sex is {row['sex']!r}, not m, f or w")
    until_admission = offset_in_days(row["admission_offset"])
    if until_admission is not None and until_admission > 0:
        return Problem(path.name, "it was taken before the admission for COVID-19", failed=False)
    return Entry(
        path,
        "covid",
        finding="COVID-19",
        patient=row["patient_id"] or None,
        view=_VIEWS.get(row["projection"].lower()),
        modality=_MODALITIES[row["modality"]],
        age=age_in_years(row.get("age")),
        sex=_SEXES[row["sex"]],
        origin="Hannover Medical School, Hannover, Germany",
        licence=_LICENCE,
        offset=None if until_admission is None else abs(until_admission),
    )
