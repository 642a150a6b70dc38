"""The command's tree of verbs, and how an error becomes a line and an exit status."""

import io
import os
import signal
import sys
import traceback
from types import FrameType
from typing import Annotated, NoReturn

import typer

import pulmo
from pulmo.cli import (
    audit,
    compare,
    data,
    demo,
    evaluate,
    explain,
    export,
    lr_find,
    predict,
    recipes,
    reproduce,
    search,
    train,
)
from pulmo.core.errors import InputError, InterruptedRunError, PulmoError, UsageError

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
app.command("search")(search.search)
app.command("lr-find")(lr_find.lr_find)
app.command("reproduce")(reproduce.reproduce)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("audit")(audit.audit)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("demo")(demo.demo)


# What `pip install pulmo` leaves out.
_TRAINING_PACKAGES = {
    "torch", "torchvision", "timm", "onnx", "onnxscript", "safetensors", "optuna",
}  # fmt: skip


class _Stopped(BaseException):
    """Ctrl-C or SIGTERM. Not an Exception: the verbs catch those of a file and go on."""


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


def main() -> None:
    """Runs the command and exits with its status."""
    for stream in (sys.stdout, sys.stderr):
        # The name of a file may hold bytes that are no characters, or none that can be shown.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    try:
        app()
    except PulmoError as error:
        _fail(str(error), error.exit_status)
    except _Stopped:
        _fail("Interrupted.", InterruptedRunError.exit_status)
    except Exception as error:  # noqa: BLE001 - the last resort says so in one line
        if os.environ.get("PULMO_DEBUG"):
            traceback.print_exc()
        explained = _explained(error)
        _fail(str(explained), explained.exit_status)


def _explained(error: Exception) -> PulmoError:
    """Returns what to say of an error that pulmo did not raise on purpose."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if package in _TRAINING_PACKAGES:
            return UsageError(
                f"This needs {package}, which is not installed; training and exporting need: "
                "pip install 'pulmo[train]'"
            )
    if isinstance(error, OSError) and error.filename:
        return InputError(f"{error.filename} cannot be used: {error.strerror}.")
    return PulmoError(
        f"this is a fault of pulmo's: {type(error).__name__}: {error}. "
        "Run it again with PULMO_DEBUG=1 and report what it prints."
    )


def _fail(sentence: str, status: int) -> NoReturn:
    """Says what went wrong in one line and exits."""
    typer.echo(f"pulmo: {' '.join(sentence.splitlines())}", err=True)
    sys.exit(status)


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Stopped
