"""Any data set described by a CSV table with the manifest's columns."""

import csv as csv_format
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from pulmo.core.errors import InputError, UsageError
from pulmo.core.files import read_bytes
from pulmo.core.labels import LABELS, check_label
from pulmo.core.tables import SPLITS
from pulmo.datasets.source import About, Entry, Problem, check_map, source

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
        InputError: the file is missing, is not UTF-8, or lacks a column.
        UsageError: a label is neither a label nor in `label_map`, or a name of `label_map` is on no
            row.
    """
    try:
        text = read_bytes(root).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{root} is not UTF-8 ({error.reason} at byte {error.start}).") from None
    table = csv_format.DictReader(io.StringIO(text, newline=""))
    missing = [name for name in _REQUIRED if name not in (table.fieldnames or ())]
    if missing:
        raise InputError(
            f"{root} has no column {' and '.join(missing)}; "
            f"it has {', '.join(table.fieldnames or ())}."
        )
    rows = list(table)
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
    path = (root.parent / row["path"]).resolve()
    if not path.is_relative_to(root.parent.resolve()):
        return Problem(where, f"{row['path']} lies outside the table's folder")
    known = {name: (row.get(name) or "").strip() or None for name in _OPTIONAL}
    if known["split"] not in (None, *SPLITS):
        return Problem(where, f"its split is {known['split']!r}, not {', '.join(SPLITS)}")
    try:
        age = None if known["age"] is None else float(known["age"])
    except ValueError:
        age = -1.0
    if age is not None and not 0 <= age <= 130:
        return Problem(where, f"its age {known['age']!r} is not a number of years from 0 to 130")
    if known["sex"] not in (None, "F", "M", "O"):
        return Problem(where, f"its sex is {known['sex']!r}, not F, M or O")
    return Entry(
        path,
        _label(row["label"], label_map, where),
        finding=known["finding"] or row["label"],
        patient=known["patient"],
        view=known["view"],
        modality=known["modality"],
        age=age,
        sex=known["sex"],
        split=known["split"],
    )


def _label(name: str, label_map: Mapping[str, str], where: str) -> str:
    if name in label_map:
        return check_label(label_map[name])
    if name in LABELS:
        return name
    raise UsageError(
        f"{where}: {name!r} is not a label ({', '.join(LABELS)}); "
        f"say what it is with --map {name!r}=LABEL."
    )
