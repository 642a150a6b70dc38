"""Actualmed 2020: films of one Spanish provider, each with the reading of a radiologist."""

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.datasets.entries import picture_inside, table_entries
from pulmo.datasets.rows import age_in_years, if_exact, known_sex, offset_in_days
from pulmo.datasets.source import About, Entry, Problem, Repository, refuse_map, source

_URL = "https://github.com/agchung/Actualmed-COVID-chestxray-dataset"
_REQUIRED = ("patientid", "finding", "view", "modality", "imagename")
_LABELS = {"COVID-19": "covid", "Pneumonia": "pneumonia", "No finding": "normal"}
_VIEWS = {"PA": "PA", "AP": "AP", "AP erect": "AP"}


@source(
    "actualmed",
    About(
        title="Chung 2020, Actualmed COVID-19 Chest X-ray Dataset Initiative",
        licence="for research only; no licence is named",
        size="238 pictures",
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
    """Yields the rows of `metadata.csv` that have a picture in `images/` and a stated finding.

    The findings are of the film, not of a swab: `No finding` is a film without changes, `COVID-19`
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
    name, finding = row["imagename"], row["finding"]
    path = picture_inside(root / "images", name)
    if isinstance(path, Problem):
        return path
    if not finding:
        return Problem(name, "its finding is not stated", failed=False)
    if finding not in _LABELS:
        raise InputError(f"{table}: the finding {finding!r} is not in the table of labels.")
    return Entry(
        path,
        _LABELS[finding],
        finding=finding,
        patient=row["patientid"] or None,
        view=_VIEWS.get(row["view"]),
        modality=row["modality"] or None,
        age=if_exact(age_in_years, row.get("age")),
        sex=known_sex(row.get("sex")),
        offset=if_exact(offset_in_days, row.get("offset")),
    )
