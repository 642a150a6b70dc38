"""pulmo selftest."""

from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import print_json
from pulmo.cli.model import OnlyModelOption, default_model
from pulmo.cli.options import Json

if TYPE_CHECKING:
    from pulmo.workflows.selftest import SelfCheck


def selftest(model: OnlyModelOption = None, as_json: Json = False) -> None:
    """Check that pulmo works on this machine.

    It tries the decoder of each format and each compression of DICOM, and compares what the model
    gives for a few drawings with its golden outputs. The exit status is 1 if a check fails.
    """
    from pulmo.workflows.selftest import selftest as checks

    made = []
    for check in checks(model or default_model()):
        made.append(check)
        if not as_json:
            typer.echo(f"{check.status:8}  {check.name}: {check.text}")
    if as_json:
        print_json({"passed": not _failed(made), "checks": [each._asdict() for each in made]})
    if _failed(made):
        raise typer.Exit(1)


def _failed(made: "list[SelfCheck]") -> bool:
    return any(check.status == "failed" for check in made)
