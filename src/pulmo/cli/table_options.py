"""What a user says of a table of predictions: options that `evaluate` and `audit` share."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from pulmo.cli.console import say
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from pulmo.predictions.reading.options import Options

TABLES: Final = (".parquet", ".csv", ".tsv", ".txt", ".xlsx")
"""The suffixes of tables of predictions."""

Positive = Annotated[
    list[str] | None,
    typer.Option(
        metavar="CLASS",
        help="For a table: a class that counts as positive; may be repeated. Default: none.",
    ),
]
Threshold = Annotated[
    float | None,
    typer.Option(
        help="For a table: the probability of the positive classes, or of a finding, from which a "
        "result is positive. Default: what the table says, else the likeliest class or 0.5."
    ),
]
Merge = Annotated[
    list[str] | None,
    typer.Option(
        metavar="LABEL=CLASS",
        help="Count a label as a class; in a table also a class as another or as a new one; may be "
        "repeated. Default: none.",
    ),
]
Truth = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="For a table: the column of the true class. Default: by its name."
    ),
]
Decision = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="For a table: the column of the decided class. Default: by its name."
    ),
]
Score = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="For a table: the only column of probabilities, of the class in its name or of "
        "--positive. Default: by the names of the columns.",
    ),
]
Groups = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN",
        help="For a table: the column of images that belong together. Default: the group, else the "
        "patient, else each image alone.",
    ),
]


class Columns(NamedTuple):
    """The columns of a table that the user named."""

    truth: str | None = None
    decision: str | None = None
    score: str | None = None
    group: str | None = None


def reading_of(
    positive: Sequence[str] | None,
    threshold: float | None,
    merge: Mapping[str, str],
    columns: Columns,
) -> "Options":
    """Returns what the options say of a table."""
    from pulmo.predictions.reading.options import Options

    return Options(tuple(positive or ()), threshold, merge, **columns._asdict())


def say_reading(notes: Sequence[str]) -> None:
    """Writes to stderr how a table was read."""
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
            raise UsageError("option-pair-invalid", f"--merge {pair!r} is not LABEL=CLASS.")
        found[label] = name
    return found
