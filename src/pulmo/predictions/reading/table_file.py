"""A file that holds a table of predictions is read, whatever program wrote it."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.tables import read_parquet
from pulmo.datasets.dialect import dialect_of
from pulmo.datasets.rows import rows_in
from pulmo.datasets.workbook import SUFFIX, first_sheet
from pulmo.predictions.reading.options import TEXTS


class TableFile(NamedTuple):
    """A table as its file has it.

    Attributes:
        table: the columns, in order; of a text file every value is text.
        decimal_comma: whether a comma in a number is its point.
        notes: how the file was read, as sentences, where that is not plain.
    """

    table: pd.DataFrame
    decimal_comma: bool
    notes: tuple[str, ...] = ()


def read_table(path: Path) -> TableFile:
    """Reads a table of predictions: text (.csv, .tsv, .txt), a workbook (.xlsx), else Parquet.

    Text is what `pulmo.datasets.rows.dialect_of` finds: UTF-8, UTF-16 or Windows-1252 with commas,
    semicolons or tabs. Only an empty cell is missing: NA and None can be names.

    Raises:
        InputError: the file is missing, or is no such table.
    """
    suffix = path.suffix.lower()
    if suffix in TEXTS:
        return _text(path)
    if suffix == SUFFIX:
        return _workbook(path)
    return TableFile(read_parquet(path), decimal_comma=True)


def _text(path: Path) -> TableFile:
    dialect = dialect_of(path)
    names = [name for name in dialect.names if name]
    if len(names) < 2:
        raise InputError(
            "table-header-missing",
            f"{path} is not a CSV table: its first line must name at least two columns, with "
            "commas, semicolons or tabs between them.",
        )
    columns: dict[str, list[str | None]] = {name: [] for name in names}
    for number, row in rows_in(path, dialect):
        if row[names[0]] is None:
            raise InputError(
                "csv-invalid",
                f"{path} is not a CSV table: line {number} has more values than the first line has "
                "names.",
            )
        for name, values in columns.items():
            values.append(row[name] or None)
    departure = dialect.departure()
    return TableFile(
        pd.DataFrame(columns, dtype="string"),
        dialect.decimal_comma,
        (f"{path.name} was read as {departure}.",) if departure else (),
    )


def _workbook(path: Path) -> TableFile:
    sheet = first_sheet(path)
    return TableFile(sheet.table.reset_index(drop=True), decimal_comma=True, notes=sheet.notes)
