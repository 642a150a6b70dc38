"""How a text table is written: its encoding, the mark between its values, its columns."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import InputError
from pulmo.datasets.text import ENCODINGS, UTF8, first_fault, found_encoding, text_lines

_MARKS: Final = {",": "commas", ";": "semicolons", "\t": "tabs"}
"""Mark between values -> what it is called."""


class Dialect(NamedTuple):
    """How a CSV file is written.

    Attributes:
        encoding: what its text is in.
        delimiter: the mark between its values.
        names: its columns, in order; one may be blank.
    """

    encoding: str
    delimiter: str
    names: list[str]

    @property
    def decimal_comma(self) -> bool:
        """Whether a number may have a comma for its point, since no comma ends a value."""
        return self.delimiter != ","

    def departure(self) -> str | None:
        """Says how it departs from UTF-8 with commas, to follow `was read as`; None if not."""
        encoding = ENCODINGS.get(self.encoding, self.encoding)
        said = [] if self.encoding == UTF8 else [f"text in {encoding}"]
        if self.delimiter != ",":
            said.append(f"values with {_MARKS[self.delimiter]} between them")
        return ", ".join(said) or None


def dialect_of(table: Path, required: Sequence[str] = (), encoding: str | None = None) -> Dialect:
    """Returns how a CSV file with a header is written.

    The encoding is UTF-8, UTF-16 or Windows-1252 (`pulmo.datasets.text.found_encoding`). Values are
    separated by commas, semicolons or tabs: whichever gives the `required` columns or, if none is,
    the most columns.

    Args:
        table: the file; may be compressed, as .gz.
        required: the columns that must be there.
        encoding: what the file is in if it is not UTF-8; for a table that is published so.

    Raises:
        InputError: the file is missing, is not in the encoding, is not CSV, lacks a required column
            or has one twice.
    """
    if encoding is None:
        encoding = found_encoding(table)
    elif first_fault(table) is None:
        encoding = UTF8
    header = next(text_lines(table, encoding), "")
    return Dialect(encoding, *_columns(table, header, required))


def _columns(table: Path, header: str, required: Sequence[str]) -> tuple[str, list[str]]:
    """Returns the delimiter that gives the required columns, and the names of all columns."""
    readings = {delimiter: _names(header, delimiter) for delimiter in _MARKS}
    if not required:
        most = max(readings, key=lambda delimiter: len(readings[delimiter]))
        readings = {most: readings[most]}
    usable = {mark: names for mark, names in readings.items() if set(required) <= set(names)}
    if not usable:
        names = max(readings.values(), key=len)
        missing = ", ".join(name for name in required if name not in names)
        raise InputError(
            "column-missing",
            f"{table} has no column {missing}; it has {', '.join(names) or 'none'}.",
        )
    delimiter, names = next(iter(usable.items()))
    if any(other != names for other in usable.values()):
        raise InputError(
            "table-delimiter-ambiguous",
            f"{table} can be read in two ways: its first line, {header.strip()[:200]!r}, has the "
            "needed column both with commas and with other marks between the names. Use one mark.",
        )
    twice = [name for name, count in Counter(filter(None, names)).items() if count > 1]
    if twice:
        raise InputError(
            "column-repeated", f"{table} has more than one column {', '.join(twice)}. Rename one."
        )
    return delimiter, names


def _names(header: str, delimiter: str) -> list[str]:
    try:
        cells = next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error:
        return []
    return [cell.strip() for cell in cells]
