"""pulmo data deidentify."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import print_json, progress, say
from pulmo.cli.data.options import Folder, Json
from pulmo.core.errors import InputError, PartialError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pulmo.workflows.deidentify import Copy

CAVEATS: Final = (
    "This cannot promise that an image shows nothing of its patient: look at each of them.",
    "Text in the pixels stays; the search for it misses handwriting, short words and faint print.",
    "Slices of a head show a face, and whoever has an image can recognise it.",
    "Numbers, code strings, manufacturer and model in the header are kept as they are.",
)
"""What a person must know before giving the files away."""


class Keep(StrEnum):
    """The options of the profile that can be added."""

    CHARACTERISTICS = "characteristics"


def deidentify(
    files: Annotated[list[Path], typer.Argument(help="DICOM files, and folders of them.")],
    output: Folder,
    keep: Annotated[
        Keep | None, typer.Option(help="Keep age, sex, size, weight and the like.")
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="A file with a secret; the same secret gives the same pseudonyms. Default: a "
            "secret that is drawn and forgotten."
        ),
    ] = None,
    trace: Annotated[
        Path | None,
        typer.Option("--map", metavar="FILE", help="Also write which file became which (CSV)."),
    ] = None,
    withhold: Annotated[
        bool,
        typer.Option(
            "--withhold-flagged", help="Do not write files that a person should look at first."
        ),
    ] = False,
    as_json: Json = False,
) -> None:
    """Copy DICOM images without what identifies the patient (PS3.15 basic profile)."""
    from pulmo.workflows.deidentify import DeidentifyOptions
    from pulmo.workflows.deidentify import deidentify as deidentify_files

    options = DeidentifyOptions(keep is not None, key, trace, withhold)
    with progress("de-identifying") as (report,):
        copies = deidentify_files(files, output, options, report, say)
    if trace is not None:
        say(f"{trace} says which file became which: it identifies the patients. Keep it secret.")
    if as_json:
        print_json(_record(copies))
    else:
        _print_table(copies)
    _conclude(copies)


def _written(copies: "Sequence[Copy]") -> "list[Copy]":
    """Returns what was written, in an order that says nothing of that of the files given."""
    return sorted((copy for copy in copies if copy.output), key=lambda copy: str(copy.output))


def _print_table(copies: "Sequence[Copy]") -> None:
    """Prints the files that were written, and says which were not."""
    for copy in _written(copies):
        typer.echo(f"{copy.output}  {copy.status:5}  {'; '.join(copy.reasons)}".rstrip())
    for copy in copies:
        if copy.status == "withheld":
            say(f"withheld: {copy.source}: {'; '.join(copy.reasons)}")
        elif copy.status == "failed":
            say(copy.reasons[0])


def _record(copies: "Sequence[Copy]") -> dict[str, object]:
    """Returns the JSON object of all files."""
    written = [
        {
            "file": str(copy.output),
            "status": copy.status,
            "patient": copy.patient,
            "reasons": list(copy.reasons),
        }
        for copy in _written(copies)
    ]
    others = {
        status: [
            {"file": str(copy.source), "reasons": list(copy.reasons)}
            for copy in copies
            if copy.status == status
        ]
        for status in ("withheld", "failed")
    }
    return {"written": written, **others, "caveats": list(CAVEATS)}


def _conclude(copies: "Sequence[Copy]") -> None:
    """Says how many files were written.

    Raises:
        InputError: nothing could be written.
        PartialError: not everything was written.
    """
    states = [copy.status for copy in copies]
    failed, withheld, check = (states.count(name) for name in ("failed", "withheld", "check"))
    if failed == len(copies):
        raise InputError(
            "files-all-failed", "Nothing was written: none of the files could be de-identified."
        )
    written = len(copies) - failed - withheld
    say(f"{written} files were written. Look at {check} of them before you give them away.")
    for caveat in CAVEATS:
        say(caveat)
    if failed or withheld:
        raise PartialError(
            "some-files-failed", f"{failed} failed and {withheld} were withheld, named above."
        )
