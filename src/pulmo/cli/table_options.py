"""What a user says of a table of predictions: options that `evaluate` and `audit` share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import say
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.predictions.reading.options import Options
    from pulmo.predictions.reading.recognise import Recognised

TABLES: Final = (".parquet", ".csv", ".tsv", ".txt", ".xlsx")
"""How the name of a table of predictions ends."""

Merge = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL=CLASS",
        help="A label that counts as a class; of a table also a class that counts as another, or "
        "as a new one; may be repeated.",
    ),
]
Truth = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Of a table: the column of the true class.")
]
Decision = Annotated[
    str | None, typer.Option(metavar="COLUMN", help="Of a table: the column of decisions.")
]
Score = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="Of a table: the one column of probabilities, of the class of its name or, without "
        "one, of --positive.",
    ),
]


def recognised(path: Path, options: "Options") -> "Recognised":
    """Reads a table of predictions as its authors sent it.

    Raises:
        InputError: it cannot be read, or is no table of predictions.
        UsageError: an option does not fit it.
    """
    from pulmo.predictions.reading.recognise import recognise
    from pulmo.predictions.reading.table_file import read_table

    return recognise(read_table(path), options)


def tell_notes(notes: Sequence[str]) -> None:
    """Writes how a table was read to stderr."""
    for note in notes:
        say(f"note: {note}")


def merges(pairs: Sequence[str]) -> dict[str, str]:
    """Returns label -> class that it counts as.

    Raises:
        UsageError: one is not LABEL=CLASS.
    """
    found = {}
    for pair in pairs:
        label, sign, name = pair.partition("=")
        if not (sign and label and name):
            raise UsageError(f"--merge {pair!r} is not LABEL=CLASS.")
        found[label] = name
    return found
