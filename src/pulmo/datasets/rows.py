"""The rows of a table that describes a data set, read and checked value by value."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes


def read_rows(table: Path, required: Sequence[str]) -> list[dict[str, str | None]]:
    """Returns the rows of a UTF-8 CSV file with a header; None where a row ends early.

    Raises:
        InputError: the file is missing, is not UTF-8 or not CSV, or lacks a `required` column.
    """
    try:
        text = read_bytes(table).decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""))
        names = list(reader.fieldnames or ())
        rows = [{name: row[name] for name in names} for row in reader]
    except UnicodeDecodeError as error:
        raise InputError(f"{table} is not UTF-8 ({error.reason} at byte {error.start}).") from None
    except csv.Error as error:
        raise InputError(
            f"{table} is not a usable CSV file near line {reader.line_num + 1}: {error}. Look for "
            "a quotation mark that is not closed."
        ) from None
    missing = [name for name in required if name not in names]
    if missing:
        raise InputError(f"{table} has no column {', '.join(missing)}; it has {', '.join(names)}.")
    return rows


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


def age_in_years(text: str | None) -> float | None:
    """Returns the age that a table states; None where it states none.

    Raises:
        ValueError: it is no age; the message is a problem's reason.
    """
    if not (text := (text or "").strip()):
        return None
    try:
        age = float(text)
    except ValueError:
        age = -1.0
    # Written so that "nan" does not pass.
    if not 0 <= age <= 130:
        raise ValueError(f"its age {text!r} is not a number of years from 0 to 130")
    return age


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
