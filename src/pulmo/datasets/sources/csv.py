"""Any data set described by a table with the manifest's columns: CSV, or a workbook."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import InputError
from pulmo.datasets.class_names import check_map, labels_of
from pulmo.datasets.dialect import dialect_of
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.manifest import SPLITS
from pulmo.datasets.rows import (
    Row,
    age_in_years,
    file_inside,
    known_modality,
    known_sex,
    known_view,
    offset_in_days,
    rows_in,
)
from pulmo.datasets.source import About, Entry, Problem, source
from pulmo.datasets.workbook import SUFFIX, first_sheet, sheet_rows

_REQUIRED = ("path", "label")
_OPTIONAL = ("finding", "patient", "split", "origin", "licence")


def entries_of(
    table: Path, label_map: Mapping[str, str], folder: Path
) -> Iterator[Entry | Problem]:
    """Yields the rows of a CSV file or a workbook whose paths are relative to a folder.

    The table is gone through twice: no image is looked at before all labels are known to be
    labels. A second row of an image that gives it another label is kept: the import refuses both.

    Args:
        table: the file.
        label_map: word of its column label -> label.
        folder: where its files lie.

    Raises:
        InputError: the table is missing, cannot be read, or lacks a column; or there is no folder.
        UsageError: a word is neither a label nor in `label_map`, or a name of `label_map` is on no
            row.
    """
    opened = _opened(table)
    labels = _labels(table, opened, label_map)
    if not folder.is_dir():
        raise InputError(
            "folder-missing",
            f"{folder} is not a folder. The paths of the table must be relative to it.",
        )
    lines: dict[tuple[str, str], int] = {}
    for number, row in opened.rows():
        place = _Place(f"{table}, line {number}", folder, opened.decimal_comma)
        entry = _entry(place, row, labels)
        if isinstance(entry, Entry):
            first = lines.setdefault((str(entry.path), entry.label), number)
            if first != number:
                entry = Problem(place.where, f"its image is on line {first} already")
        yield entry


@source(
    "csv",
    About(
        title="Your own images, one row each in a table",
        licence="yours",
        size="any",
        url="",
        obtain="ROOT is a CSV file with commas, semicolons or tabs, or a workbook (.xlsx), whose "
        "first sheet is read. It has the columns path and label, and as many of patient, source, "
        "view, modality, age, sex, finding, split, origin, licence and offset as you know; paths "
        "are relative to the file, the source is the hospital or the public set that an image is "
        "from (origin is another name of the column), the offset is in days since the first "
        "symptoms or the admission.",
    ),
    elsewhere=entries_of,
)
def csv(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of the table `root`, with its files next to it; see `entries_of`.

    Raises:
        InputError: the file is missing, cannot be read, or lacks a column.
        UsageError: a word is neither a label nor in `label_map`, or a name of `label_map` is on no
            row.
    """
    return entries_of(root, label_map, root.parent)


class _Opened(NamedTuple):
    """A table: whether a comma in its numbers is a point, and what gives its rows."""

    decimal_comma: bool
    rows: Callable[[], Iterator[tuple[int, Row]]]


def _opened(table: Path) -> _Opened:
    if table.suffix.lower() != SUFFIX:
        dialect = dialect_of(table, _REQUIRED)
        return _Opened(dialect.decimal_comma, partial(rows_in, table, dialect))
    sheet = first_sheet(table)
    names = list(sheet.table.columns)
    if missing := [name for name in _REQUIRED if name not in names]:
        raise InputError(
            "column-missing",
            f"{table} has no column {', '.join(missing)}; it has {', '.join(names)}.",
        )
    return _Opened(decimal_comma=True, rows=partial(sheet_rows, sheet))


def _labels(table: Path, opened: _Opened, label_map: Mapping[str, str]) -> dict[str, str]:
    """Returns the label of each word in the column `label`."""
    lines: dict[str, int] = {}
    for number, row in opened.rows():
        if row["label"]:
            lines.setdefault(row["label"], number)
    check_map(label_map, lines, table)
    return labels_of(lines, label_map, table)


class _Place(NamedTuple):
    """Where a row is, where its file lies, and whether a comma in its numbers is a point."""

    where: str
    folder: Path
    decimal_comma: bool


def _entry(place: _Place, row: Row, labels: Mapping[str, str]) -> Entry | Problem:
    where, folder, decimal_comma = place
    path, label = row["path"], row["label"]
    if path is None or label is None:
        return Problem(where, MISFIT)
    if not path or not label:
        return Problem(where, "its path or label is blank")
    known = {name: row.get(name) or None for name in _OPTIONAL}
    if known["split"] not in (None, *SPLITS):
        return Problem(where, f"its split is {known['split']!r}, not {', '.join(SPLITS)}")
    try:
        return Entry(
            file_inside(folder, path),
            labels[label],
            finding=known["finding"] or label,
            patient=known["patient"],
            view=known_view(row.get("view")),
            modality=known_modality(row.get("modality")),
            age=age_in_years(row.get("age"), decimal_comma=decimal_comma),
            sex=known_sex(row.get("sex")),
            split=known["split"],
            origin=known["origin"] or row.get("source") or None,
            licence=known["licence"],
            offset=offset_in_days(row.get("offset"), decimal_comma=decimal_comma),
        )
    except ValueError as error:
        return Problem(where, str(error))
