"""pulmo data deidentify."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, progress, say, say_lines
from pulmo.cli.options import Json, Output, takes_options
from pulmo.workflows.options.data import DeidentifyOptions


@takes_options
def deidentify(
    files: Annotated[list[Path], typer.Argument(help="DICOM files, and folders of them.")],
    output: Output,
    options: DeidentifyOptions,
    *,
    as_json: Json = False,
) -> None:
    """Copy DICOM images without what identifies the patient (PS3.15 basic profile)."""
    from pulmo.workflows.deidentified_files import CAVEATS
    from pulmo.workflows.deidentify import deidentify as deidentify_files

    with progress("de-identifying") as (report,):
        done = deidentify_files(files, output, options, report, say)
    if options.trace is not None:
        say(
            f"{options.trace} says which file became which: it identifies the patients. Keep it "
            "secret."
        )
    if as_json:
        print_json(done.record())
    else:
        for copy in done.written:
            typer.echo(f"{copy.output}  {copy.status:5}  {'; '.join(copy.reasons)}".rstrip())
        for copy in done.withheld:
            say(f"withheld: {copy.source}: {'; '.join(copy.reasons)}")
        for copy in done.failed:
            say(copy.reasons[0])
    done.require_any()
    check = sum(copy.status == "check" for copy in done.written)
    written = f"{len(done.written)} files were written."
    say_lines([f"{written} Look at {check} of them before you give them away.", *CAVEATS])
    done.require_all()
