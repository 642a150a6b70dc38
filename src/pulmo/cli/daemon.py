"""What the commands of `pulmo serve` and `pulmo listen` share."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pulmo.cli.options import flags_used
from pulmo.cli.results import results_to
from pulmo.core.errors import UsageError
from pulmo.core.output import claim_file

if TYPE_CHECKING:
    from pulmo.daemon.database import Database

Form = Literal["csv", "json"]
LogForm = Annotated[Form, typer.Option("--export", help="The form of the log.")]
LogFile = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="Write the log to this file. Default: standard output.",
    ),
]


def starts(context: typer.Context, options: Any, what: str) -> bool:  # noqa: ANN401 - a dataclass of options
    """Tells whether a daemon itself is to start, and not one of its commands.

    Args:
        context: of the call.
        options: those of the daemon.
        what: the daemon, `the server` or `the node`.

    Raises:
        UsageError: a command is called with options of the daemon.
    """
    if context.invoked_subcommand is None:
        return True
    if used := flags_used(options):
        raise UsageError(
            "option-of-daemon", f"{used[0]} is for {what}, not for {context.invoked_subcommand}."
        )
    return False


def print_log(
    opened: Callable[[], AbstractContextManager["Database"]], form: Form, output: Path | None
) -> None:
    """Prints an audit log, or writes it to a file.

    Raises:
        InputError: the database or the file cannot be opened.
    """
    from pulmo.daemon.audit_log import export_log

    if output is not None:
        claim_file(output)
    with opened() as database, results_to(output) as stream:
        export_log(database, form, stream)
