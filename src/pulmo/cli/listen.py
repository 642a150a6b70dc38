"""pulmo listen."""

import json as json_module

import typer

from pulmo.cli.daemon import LogFile, LogForm, print_log, starts
from pulmo.cli.model import OnlyModelOption, one_model
from pulmo.cli.options import Json, takes_options
from pulmo.node.options import ListenOptions, NodeData

app = typer.Typer(invoke_without_command=True)


@app.callback()
@takes_options
def listen(
    context: typer.Context, model: OnlyModelOption = None, *, options: ListenOptions
) -> None:
    """Answer images that are sent by DICOM. For research, not diagnosis.

    An image is on the disk before its sender hears that it was received. Results wait until each
    node has them. By default only this machine can send images. For other machines give --host,
    and with --allow the nodes that may send. After Ctrl-C the images in work are finished.
    """
    if not starts(context, options, "the node"):
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
def log(export: LogForm = "csv", output: LogFile = None, *, options: NodeData) -> None:
    """Print what was received, judged and sent, and when, the oldest first."""
    from pulmo.node.database import NodeDatabase
    from pulmo.node.store import data_folder

    print_log(lambda: NodeDatabase(data_folder(options)), export, output)
