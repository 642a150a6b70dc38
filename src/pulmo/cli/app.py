"""The command's tree of verbs, and how an error becomes a line and an exit status."""

import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer

import pulmo
from pulmo.cli import data, demo, evaluate, explain, export, predict, recipes, train
from pulmo.core.errors import InterruptedRunError, PulmoError

app = typer.Typer(
    name="pulmo",
    help="Chest X-ray classifiers, honestly. For research, not diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    # rich would triple the time of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.command("recipes")(recipes.recipes)
app.command("train")(train.train)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        typer.echo(f"pulmo {pulmo.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Chest X-ray classifiers, honestly. For research, not diagnosis."""


def main() -> NoReturn:
    """Runs the command and exits with its status."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    try:
        app()
    except PulmoError as error:
        typer.echo(f"pulmo: {error}", err=True)
        sys.exit(error.exit_status)
    except Exception as error:  # noqa: BLE001 - the last resort says so in one line
        if os.environ.get("PULMO_DEBUG"):
            traceback.print_exc()
        typer.echo(
            f"pulmo: this is a fault of pulmo's: {type(error).__name__}: {error}. "
            "Run it again with PULMO_DEBUG=1 and report what it prints.",
            err=True,
        )
        sys.exit(1)
    sys.exit(0)


def _interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
    raise InterruptedRunError("Interrupted.")
