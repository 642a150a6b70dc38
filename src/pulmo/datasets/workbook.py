"""The first sheet of a workbook, whose first row names the columns."""

import io
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pandas as pd

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.datasets.rows import Row

SUFFIX: Final = ".xlsx"
"""How the name of a workbook ends."""


class Sheet(NamedTuple):
    """The first sheet of a workbook.

    Attributes:
        table: its columns that have a name, in order; the index is the number of the sheet's row.
        notes: which sheet was read, as a sentence, where there are several.
    """

    table: pd.DataFrame
    notes: tuple[str, ...] = ()


def first_sheet(path: Path) -> Sheet:
    """Reads the first sheet of a workbook. Only an empty cell is missing: NA can be a name.

    Raises:
        InputError: the file is missing, is no workbook, or its first row does not name two columns
            or more, each once.
    """
    data = read_bytes(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of styles, which no value depends on
            book = pd.ExcelFile(io.BytesIO(data), engine="openpyxl")
            sheet = book.parse(
                0, header=None, dtype=object, keep_default_na=False, na_values=[""]
            ).dropna(how="all")
    except Exception as error:  # damaged bytes make openpyxl raise anything
        raise InputError(
            "workbook-invalid", f"{path} is not a workbook (.xlsx): {str(error).rstrip('.')}."
        ) from error
    header = [] if sheet.empty else list(sheet.iloc[0])
    names = ["" if pd.isna(name) else str(name).strip() for name in header]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise InputError(
            "column-repeated", f"{path} has more than one column {', '.join(twice)}. Rename one."
        )
    if len([name for name in names if name]) < 2:
        raise InputError(
            "table-header-missing",
            f"{path} is not a table: its first row must name at least two columns.",
        )
    table = sheet.iloc[1:].set_axis(names, axis=1)[[name for name in names if name]]
    sheets = len(book.sheet_names)
    note = f"{path.name} has {sheets} sheets; the first, {book.sheet_names[0]}, was read."
    return Sheet(table.set_axis(table.index + 1), (note,) if sheets > 1 else ())


def sheet_rows(sheet: Sheet) -> Iterator[tuple[int, Row]]:
    """Yields the rows of a sheet as text, each with its number, as `pulmo.datasets.rows.rows_in`.

    A number without decimals is written without a point, as a spreadsheet program shows it.
    """
    names = list(sheet.table.columns)
    for number, *values in sheet.table.itertuples(name=None):
        yield number, dict(zip(names, map(_text, values), strict=True))


def _text(value: object) -> str:
    if value is None or value != value:  # noqa: PLR0124 - a missing cell is not equal to itself
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
