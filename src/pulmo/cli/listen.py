"""pulmo listen."""

import json as json_module
from pathlib import Path
from typing import Annotated, Literal

import typer

from pulmo.cli.model import ModelOption, one_model
from pulmo.cli.options import Json, flags_used, takes_options
from pulmo.cli.results import results_to
from pulmo.core.errors import UsageError
from pulmo.core.output import claim_file
from pulmo.node.options import ListenOptions, NodeData

app = typer.Typer(invoke_without_command=True)


@app.callback()
@takes_options
def listen(context: typer.Context, model: ModelOption = None, *, options: ListenOptions) -> None:
    """Answer images that are sent by DICOM. For research, not diagnosis.

    An image is on the disk before its sender hears that it was received. Results wait until each
    node has them. It listens on this machine alone, unless --allow names the nodes that may send.
    Ctrl-C lets what was begun end.
    """
    if context.invoked_subcommand is not None:
        if used := flags_used(options):
            raise UsageError(
                "option-of-node",
                f"{used[0]} is for the node, not for {context.invoked_subcommand}.",
            )
        return
    from pulmo.node.listen import listen as listen_to

    listen_to(one_model(None, model), options, typer.echo)


@app.command("status")
@takes_options
def status(json: Json = False, *, options: NodeData) -> None:
    """Print what waits, what was sent, and what went wrong last."""
    from pulmo.node.status import status_of
    from pulmo.node.store import Store, data_folder

    with Store(data_folder(options)) as store:
        found = status_of(store)
    if json:
        typer.echo(json_module.dumps(found.as_dict(), indent=2))
        return
    for line in found.lines():
        typer.echo(line)


@app.command("log")
@takes_options
def log(
    export: Annotated[
        Literal["csv", "json"], typer.Option("--export", help="The form of the log.")
    ] = "csv",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the log to this file. Default: standard output.",
        ),
    ] = None,
    *,
    options: NodeData,
) -> None:
    """Print what was received, judged and sent, and when, the oldest first."""
    from pulmo.daemon.audit_log import export_log
    from pulmo.node.store import Store, data_folder

    if output is not None:
        claim_file(output)
    with Store(data_folder(options)) as store, results_to(output) as stream:
        export_log(store.database, export, stream)
