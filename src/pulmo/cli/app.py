"""The command's tree of verbs."""

from pathlib import Path
from typing import Annotated

import typer

import pulmo
from pulmo.cli import (
    audit,
    bench,
    card,
    compare,
    data,
    demo,
    evaluate,
    explain,
    export,
    features,
    gallery,
    listen,
    lr_find,
    lungs,
    predict,
    pull,
    recipes,
    reproduce,
    screen,
    search,
    selftest,
    serve,
    train,
)
from pulmo.cli.exits import run_command
from pulmo.core.plugins import load_plugin

app = typer.Typer(
    name="pulmo",
    help="Train, evaluate, explain and run chest X-ray classifiers. For research, not diagnosis.",
    no_args_is_help=True,
    add_completion=False,
    # rich would triple the time of --help.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(data.app, name="data")
app.add_typer(recipes.app, name="recipes")
app.add_typer(lungs.app, name="lungs")
app.add_typer(serve.app, name="serve")
app.add_typer(listen.app, name="listen")
app.command("pull")(pull.pull)
app.command("train")(train.train)
app.command("search")(search.search)
app.command("lr-find")(lr_find.lr_find)
app.command("reproduce")(reproduce.reproduce)
app.command("export")(export.export)
app.command("predict")(predict.predict)
app.command("screen")(screen.screen)
app.command("evaluate")(evaluate.evaluate)
app.command("audit")(audit.audit)
app.command("card")(card.card)
app.command("compare")(compare.compare)
app.command("explain")(explain.explain)
app.command("features")(features.features)
app.command("gallery")(gallery.gallery)
app.command("demo")(demo.demo)
app.command("selftest")(selftest.selftest)
app.add_typer(bench.app, name="bench")


def _version(asked: bool) -> None:  # noqa: FBT001 - typer's callback
    if asked:
        typer.echo(f"pulmo {pulmo.__version__}")
        raise typer.Exit


def _plugins(files: list[Path] | None) -> None:
    for path in files or ():
        load_plugin(path)


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
    plugin: Annotated[
        list[Path] | None,
        typer.Option(
            callback=_plugins,
            metavar="FILE",
            help="Load a Python file that registers things. May be repeated.",
        ),
    ] = None,
) -> None:
    """Train, evaluate, explain and run chest X-ray classifiers. For research, not diagnosis."""


def main() -> None:
    """Runs the command and exits with its status."""
    run_command(app, "pulmo")
