"""The rows of a table that describes a data set, read and checked value by value."""

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, TypeVar

from pulmo.core.errors import InputError
from pulmo.datasets.dialect import Dialect, dialect_of
from pulmo.datasets.text import text_lines
from pulmo.radiograph.facts import modality_of

Row = dict[str, str | None]
"""Column -> value, without the spaces around it; None where the row does not fit the header."""

Value = TypeVar("Value")

VIEWS: Final = (
    "PA",
    "AP",
    "AP supine",
    "lateral",
    "oblique",
    "decubitus",
    "axial",
    "coronal",
)
"""The words of a manifest's column `view`."""


def read_rows(table: Path, required: Sequence[str], encoding: str | None = None) -> Iterator[Row]:
    """Returns the rows of a CSV file with a header, read as they are asked for.

    A column without a name and a row without a value are left out. Where a row ends early its last
    values are None; where it has more values than the header has columns all are, since nobody
    knows which is which. The arguments are those of `dialect_of`.

    Raises:
        InputError: as `dialect_of`. Of what is below the header the iterator tells, when it gets
            there.
    """
    return (row for _, row in numbered_rows(table, required, encoding))


def numbered_rows(
    table: Path, required: Sequence[str], encoding: str | None = None
) -> Iterator[tuple[int, Row]]:
    """Returns the rows as `read_rows`, each with the number of the line on which it begins."""
    return rows_in(table, dialect_of(table, required, encoding))


def rows_in(table: Path, dialect: Dialect) -> Iterator[tuple[int, Row]]:
    """Yields the rows of a file whose dialect is known, as `numbered_rows`."""
    encoding, delimiter, names = dialect
    reader = csv.reader(text_lines(table, encoding), delimiter=delimiter, strict=True)
    begun = 1
    try:
        for cells in reader:
            values = [cell.strip() for cell in cells]
            # The first line is the header.
            if begun > 1 and any(values):
                yield begun, _row(names, values)
            begun = reader.line_num + 1
    except csv.Error as error:
        raise InputError(
            "csv-invalid",
            f"{table} is not a valid CSV file near line {begun}: {error}. Look for a quotation "
            "mark that is not closed.",
        ) from None


def _row(names: list[str], values: list[str]) -> Row:
    fits = not any(values[len(names) :])
    found: list[str | None] = [*values] if fits else []
    found += [None] * (len(names) - len(found))
    return {name: value for name, value in zip(names, found, strict=False) if name}


def file_inside(folder: Path, name: str) -> Path:
    """Returns the resolved path of a file that a table names.

    Args:
        folder: where the table's files lie.
        name: the path relative to `folder`.

    Raises:
        ValueError: it lies outside the folder or is no path; the message is a problem's reason.
    """
    try:
        path = (folder / name).resolve()
        # Asked here, because a name can be too long to ask for.
        path.is_file()
    except (OSError, RuntimeError, ValueError):
        raise ValueError(f"{name[:80]!r} is no usable path") from None
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{name} lies outside {folder}")
    return path


def age_in_years(text: str | None, *, decimal_comma: bool = False) -> float | None:
    """Returns the age that a table states; None where it states none.

    Args:
        text: the value.
        decimal_comma: whether a comma stands for the point of a number.

    Raises:
        ValueError: it is no age; the message is a problem's reason.
    """
    if not (text := (text or "").strip()):
        return None
    age = _number(text, decimal_comma=decimal_comma)
    # Written so that "nan" does not pass.
    if not 0 <= age <= 130:
        raise ValueError(f"its age {text!r} is not a number of years from 0 to 130")
    return age


def offset_in_days(text: str | None, *, decimal_comma: bool = False) -> float | None:
    """Returns the days since the first symptoms that a table states; None where it states none.

    Args:
        text: the value.
        decimal_comma: whether a comma stands for the point of a number.

    Raises:
        ValueError: it is no number; the message is a problem's reason.
    """
    if not (text := (text or "").strip()):
        return None
    days = _number(text, decimal_comma=decimal_comma)
    if not math.isfinite(days):
        raise ValueError(f"its offset {text!r} is not a number of days")
    return days


def _number(text: str, *, decimal_comma: bool) -> float:
    try:
        return float(text.replace(",", ".") if decimal_comma else text)
    except ValueError:
        return math.nan


def known_sex(text: str | None) -> str | None:
    """Returns the sex that a table states; None where it states none.

    Raises:
        ValueError: it is none of F, M and O; the message is a problem's reason.
    """
    if not (text := (text or "").strip()):
        return None
    if text not in {"F", "M", "O"}:
        raise ValueError(f"its sex is {text!r}, not F, M or O")
    return text


def known_view(text: str | None) -> str | None:
    """Returns the view that a table states; None where it states none.

    Raises:
        ValueError: it is none of `VIEWS`; the message is a problem's reason.
    """
    if not (text := (text or "").strip()):
        return None
    if text not in VIEWS:
        raise ValueError(f"its view is {text!r}, not {', '.join(VIEWS)}")
    return text


def known_modality(text: str | None) -> str | None:
    """Returns the modality that a table states, as X-ray, CT or a code; None where it states none.

    Raises:
        ValueError: it is neither X-ray nor a code of DICOM's; the message is a problem's reason.
    """
    if not (text := (text or "").strip()) or text == "X-ray":
        return text or None
    modality = modality_of(text)
    if modality == "other":
        raise ValueError(f"its modality is {text!r}, not X-ray, CT or another code of DICOM's")
    return modality


def if_exact(read: Callable[[str | None], Value | None], text: str | None) -> Value | None:
    """Returns what `read` makes of a text; None where that raises ValueError.

    For columns that are published with values such as `50+`: an image is not lost for its age.
    """
    try:
        return read(text)
    except ValueError:
        return None
