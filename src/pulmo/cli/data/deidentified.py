"""What became of the files that `pulmo data deidentify` was given."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import typer

from pulmo.cli.console import print_json, say
from pulmo.core.errors import InputError, PartialError
from pulmo.core.files import write_atomically

CAVEATS: Final = (
    "This cannot promise that an image shows nothing of its patient: look at each of them.",
    "Text in the pixels stays; the search for it misses handwriting, short words and faint print.",
    "Slices of a head show a face, and an image can be recognised by whoever has it.",
    "Numbers, code strings, manufacturer and model in the header are kept as they are.",
)
"""What a person must know before giving the files away."""


class Row(NamedTuple):
    """What became of a file; `output` is empty if nothing was written.

    Attributes:
        source: the file that was given.
        status: ok, check, withheld or failed.
        reasons: why to look at it, or why there is none.
        output: the new file.
        patient: its pseudonym.
    """

    source: Path
    status: str
    reasons: tuple[str, ...] = ()
    output: Path | None = None
    patient: str = ""


def write_map(trace: Path, rows: Sequence[Row]) -> None:
    """Writes which file became which, readable by its owner alone.

    Raises:
        InputError: it cannot be written.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("input", "output", "patient"))
    table.writerows((row.source, row.output, row.patient) for row in rows if row.output)
    # Nobody else may read it, not even while it is written.
    before = os.umask(0o077)
    try:
        write_atomically(trace, text.getvalue().encode(errors="backslashreplace"))
    finally:
        os.umask(before)
    say(f"{trace} tells which file became which: it identifies the patients. Keep it to yourself.")


def _by_name(rows: Iterable[Row]) -> list[Row]:
    """Returns what was written, in an order that tells nothing of that of the files given."""
    return sorted((row for row in rows if row.output), key=lambda row: str(row.output))


def print_table(rows: Sequence[Row]) -> None:
    """Prints the files that were written, and says which were not."""
    for row in _by_name(rows):
        typer.echo(f"{row.output}  {row.status:5}  {'; '.join(row.reasons)}".rstrip())
    for row in rows:
        if row.status == "withheld":
            say(f"withheld: {row.source}: {'; '.join(row.reasons)}")
        elif row.status == "failed":
            say(row.reasons[0])


def print_object(rows: Sequence[Row]) -> None:
    """Prints the same as one JSON object."""
    print_json(
        {
            "written": [
                {
                    "file": str(row.output),
                    "status": row.status,
                    "patient": row.patient,
                    "reasons": list(row.reasons),
                }
                for row in _by_name(rows)
            ],
            **{
                status: [
                    {"file": str(row.source), "reasons": list(row.reasons)}
                    for row in rows
                    if row.status == status
                ]
                for status in ("withheld", "failed")
            },
            "caveats": list(CAVEATS),
        }
    )


def conclude(rows: Sequence[Row]) -> None:
    """Says how it went.

    Raises:
        InputError: nothing could be written.
        PartialError: not everything was written.
    """
    count = {s: sum(row.status == s for row in rows) for s in ("ok", "check", "withheld", "failed")}
    written = count["ok"] + count["check"]
    if count["failed"] == len(rows):
        raise InputError("Nothing was written: none of the files could be de-identified.")
    say(f"{written} written, {count['check']} of them to be looked at first.")
    for caveat in CAVEATS:
        say(caveat)
    if count["failed"] or count["withheld"]:
        raise PartialError(
            f"{count['failed']} failed and {count['withheld']} were withheld, named above."
        )
