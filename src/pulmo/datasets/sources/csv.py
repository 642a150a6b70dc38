"""Any data set described by a CSV table with the manifest's columns."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.tables import SPLITS
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.rows import (
    Dialect,
    Row,
    age_in_years,
    dialect_of,
    file_inside,
    known_modality,
    known_sex,
    known_view,
    offset_in_days,
    rows_of,
)
from pulmo.datasets.source import About, Entry, Problem, check_map, label_of, source

_REQUIRED = ("path", "label")
_OPTIONAL = ("finding", "patient", "split", "origin", "licence")


@source(
    "csv",
    About(
        title="Your own pictures, one row each in a table",
        licence="yours",
        size="any",
        url="",
        obtain="ROOT is a CSV file with commas, semicolons or tabs, with the columns path "
        "and label, and as many of patient, view, modality, age, sex, finding, split, "
        "origin, licence and offset as you know; paths are relative to the file, the offset is in "
        "days since the first symptoms or the admission.",
    ),
)
def csv(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of the CSV file `root`.

    The table is read twice: no picture is looked at before all labels are known to be labels. A
    second row of a picture that gives it another label is kept: the import refuses both.

    Raises:
        InputError: the file is missing, is no text or not CSV, or lacks a column.
        UsageError: a label is neither a label nor in `label_map`, or a name of `label_map` is on no
            row.
    """
    dialect = dialect_of(root, _REQUIRED)
    labels = _labels(root, dialect, label_map)
    lines: dict[tuple[str, str], int] = {}
    for number, row in rows_of(root, dialect):
        entry = _entry(root, number, row, labels, decimal_comma=dialect.decimal_comma)
        if isinstance(entry, Entry):
            first = lines.setdefault((str(entry.path), entry.label), number)
            if first != number:
                entry = Problem(f"{root}, line {number}", f"its picture is on line {first} already")
        yield entry


def _labels(root: Path, dialect: Dialect, label_map: Mapping[str, str]) -> dict[str, str]:
    """Returns the label of each name in the column `label`."""
    lines: dict[str, int] = {}
    for number, row in rows_of(root, dialect):
        if row["label"]:
            lines.setdefault(row["label"], number)
    check_map(label_map, lines, root)
    return {
        name: label_of(name, label_map, f"{root}, line {number}") for name, number in lines.items()
    }


def _entry(
    root: Path, number: int, row: Row, labels: Mapping[str, str], *, decimal_comma: bool
) -> Entry | Problem:
    where = f"{root}, line {number}"
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
            file_inside(root.parent, path),
            labels[label],
            finding=known["finding"] or label,
            patient=known["patient"],
            view=known_view(row.get("view")),
            modality=known_modality(row.get("modality")),
            age=age_in_years(row.get("age"), decimal_comma=decimal_comma),
            sex=known_sex(row.get("sex")),
            split=known["split"],
            origin=known["origin"],
            licence=known["licence"],
            offset=offset_in_days(row.get("offset"), decimal_comma=decimal_comma),
        )
    except ValueError as error:
        return Problem(where, str(error))
