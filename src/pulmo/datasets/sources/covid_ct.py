"""Zhao et al. 2020: COVID-CT, slices of chest CT from publications and from other websites."""

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError
from pulmo.datasets.entries import image_inside, once, table_entries
from pulmo.datasets.rows import Row, age_in_years, if_exact, known_sex
from pulmo.datasets.source import About, Entry, Problem, refuse_map, source
from pulmo.datasets.text import text_lines
from pulmo.datasets.workbook import first_sheet, sheet_rows

MISLABELLED: Final = {
    "Talaromyces-marneffei-infection-relapse-presenting-as-ost_2020_International": (
        "its publication is of Talaromyces marneffei in 2017, before COVID-19"
    )
}
"""Publications whose images are not of COVID-19 as the set says, and what is known."""

_URL: Final = "https://github.com/UCSD-AI4H/COVID-CT"
_SHEET: Final = ("File name", "Patient ID", "Age", "Gender", "Time")
_TABLE: Final = ("image name", "patient id")
# Later ones are more withheld: an image in two lists counts as in the last.
_SPLITS: Final = ("train", "val", "test")

# `2020.02.25.20021568-p21-73%1.png` is from page 21, `PIIS0140673620303603%3.png` has no page.
_PAPER: Final = re.compile(r"(?P<pii>PIIS\d+)|(?P<name>.+?)-p\d+-")
_PREPRINT: Final = re.compile(r"\d{4}\.\d\d\.\d\d\.\d+")
_DAY: Final = re.compile(
    r"(?:illness )?day (\d+)(?:, hospital day \d+| +(?:after|from) (?:the onset of illness|"
    r"symptom onset?))|(\d+)(?:st|nd|rd|th) day of the course of disease",
    re.IGNORECASE,
)


@source(
    "covid-ct",
    About(
        title="Zhao et al. 2020, COVID-CT",
        licence="none is named; the images belong to the authors and publishers of the papers",
        size="746 CT slices",
        url=_URL,
        obtain=f"git clone --depth 1 {_URL} ROOT; unpack CT_COVID.zip and CT_NonCOVID.zip where "
        "they lie. ROOT then holds Images-processed/CT_COVID, Images-processed/CT_NonCOVID, "
        "Data-split, COVID-CT-MetaInfo.xlsx and NonCOVID-CT-MetaInfo.csv.",
    ),
)
def covid_ct(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of both tables that have an image in `Images-processed`.

    An image that is not of COVID-19 is `other`: these patients have nodules and other diseases of
    the lungs. The images of one publication are in one group, for its authors may show a patient
    in several figures and no table says so; three publications are on two sides of the published
    split. The set names no view; all of its images are axial.

    The age is known where it is a number, the offset where a day is counted from the first
    symptoms or is that of the admission. The images of `MISLABELLED` are left out.

    Raises:
        InputError: a table or a list of the split is missing, cannot be read or lacks a column.
        UsageError: `label_map` is not empty.
    """
    refuse_map(label_map, "covid-ct")
    yield from once(_covid(root, root / "COVID-CT-MetaInfo.xlsx"))
    sides = _sides(root, "CT_NonCOVID")
    table = root / "NonCOVID-CT-MetaInfo.csv"
    yield from table_entries(table, _TABLE, partial(_other_entry, root, sides))


def paper_of(name: str) -> str | None:
    """Returns the publication that an image of COVID-19 is from, by its name; None if unknown."""
    match = _PAPER.match(name)
    return match["pii"] or match["name"] if match else None


def _covid(root: Path, table: Path) -> Iterator[Entry | Problem]:
    sheet = first_sheet(table)
    names = list(sheet.table.columns)
    if missing := [name for name in _SHEET if name not in names]:
        raise InputError(
            "column-missing",
            f"{table} has no column {', '.join(missing)}; it has {', '.join(names)}.",
        )
    sides = _sides(root, "CT_COVID")
    for number, row in sheet_rows(sheet):
        where = f"{table}, row {number}"
        try:
            yield _covid_entry(root, sides, row, where)
        except ValueError as error:
            yield Problem(where, str(error))


def _covid_entry(root: Path, sides: Mapping[str, str], row: Row, where: str) -> Entry | Problem:
    name = row["File name"] or ""
    if not name:
        return Problem(where, "it names no file", failed=False)
    # The table leaves the ending of some names out.
    name = name if name.endswith(".png") else f"{name}.png"
    path = image_inside(root / "Images-processed" / "CT_COVID", name)
    if isinstance(path, Problem):
        return path
    paper = paper_of(name)
    if paper in MISLABELLED:
        return Problem(name, MISLABELLED[paper], failed=False)
    return Entry(
        path,
        "covid",
        finding="COVID-19",
        patient=row["Patient ID"] or None,
        view="axial",
        modality="CT",
        age=if_exact(age_in_years, row["Age"]),
        sex=known_sex(row["Gender"]),
        split=sides.get(name),
        origin=_origin(paper),
        offset=_offset(row["Time"] or ""),
        group=paper,
    )


def _other_entry(root: Path, sides: Mapping[str, str], row: Mapping[str, str]) -> Entry | Problem:
    name, patient = row["image name"], row["patient id"]
    path = image_inside(root / "Images-processed" / "CT_NonCOVID", name)
    if isinstance(path, Problem):
        return path
    return Entry(
        path,
        "other",
        finding="non-COVID",
        patient=patient or None,
        view="axial",
        modality="CT",
        split=sides.get(name),
        # The others are called crawled, which says nothing of where they were found.
        origin="MedPix" if patient.startswith("medpix_") else None,
    )


def _origin(paper: str | None) -> str | None:
    """Returns the publication; that of a preprint by its DOI, as the set's README gives it."""
    return f"10.1101/{paper}" if paper and _PREPRINT.fullmatch(paper) else paper


def _offset(time: str) -> float | None:
    """Returns the days since the first symptoms or the admission, if the text counts from them."""
    if time.casefold() == "on the day of admission":
        return 0.0
    match = _DAY.fullmatch(time)
    return float(match[1] or match[2]) if match else None


def _sides(root: Path, folder: str) -> dict[str, str]:
    """Returns the published side of each image of a folder, by its name."""
    place = root / "Data-split" / folder.removeprefix("CT_")
    lists = {side: place / f"{side}{folder}.txt" for side in _SPLITS}
    return {
        name: side
        for side, path in lists.items()
        for line in text_lines(path)
        if (name := line.strip())
    }
