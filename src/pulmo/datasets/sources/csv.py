"""Any data set described by a CSV table with the manifest's columns."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.tables import SPLITS
from pulmo.datasets.rows import age_in_years, file_inside, known_sex, read_rows
from pulmo.datasets.source import About, Entry, Problem, check_map, label_of, source

_REQUIRED = ("path", "label")
_OPTIONAL = ("finding", "patient", "view", "modality", "age", "sex", "split")


@source(
    "csv",
    About(
        title="Your own pictures, one row each in a table",
        licence="yours",
        size="any",
        url="",
        obtain="ROOT is a UTF-8 CSV file with the columns path and label, and as many of patient, "
        "view, modality, age, sex, finding and split as you know; paths are relative to the file.",
    ),
)
def csv(root: Path, label_map: Mapping[str, str]) -> Iterator[Entry | Problem]:
    """Yields the rows of the CSV file `root`.

    Raises:
        InputError: the file is missing, is not UTF-8 or not CSV, or lacks a column.
        UsageError: a label is neither a label nor in `label_map`, or a name of `label_map` is on no
            row.
    """
    rows = read_rows(root, _REQUIRED)
    check_map(label_map, {row["label"] or "" for row in rows}, root)
    lines: dict[Path, int] = {}
    for number, row in enumerate(rows, start=2):
        entry = _entry(root, number, row, label_map)
        if isinstance(entry, Entry) and lines.setdefault(entry.path, number) != number:
            where = f"{root}, line {number}"
            entry = Problem(where, f"{entry.path} is on line {lines[entry.path]} already")
        yield entry


def _entry(
    root: Path, number: int, row: Mapping[str, str | None], label_map: Mapping[str, str]
) -> Entry | Problem:
    where = f"{root}, line {number}"
    if not row["path"] or not row["label"]:
        return Problem(where, "its path or label is blank")
    known = {name: (row.get(name) or "").strip() or None for name in _OPTIONAL}
    if known["split"] not in (None, *SPLITS):
        return Problem(where, f"its split is {known['split']!r}, not {', '.join(SPLITS)}")
    try:
        path = file_inside(root.parent, row["path"])
        age, sex = age_in_years(known["age"]), known_sex(known["sex"])
    except ValueError as error:
        return Problem(where, str(error))
    return Entry(
        path,
        label_of(row["label"], label_map, where),
        finding=known["finding"] or row["label"],
        patient=known["patient"],
        view=known["view"],
        modality=known["modality"],
        age=age,
        sex=sex,
        split=known["split"],
    )
