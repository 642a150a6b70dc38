"""pulmo search."""

import shlex
from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import print_json, say
from pulmo.cli.options import Json, Output, takes_options
from pulmo.cli.training import OptionalData, OptionalName, training_progress
from pulmo.workflows.options.training import SearchOptions

if TYPE_CHECKING:
    from pulmo.experiments.trials import TrialRow


@takes_options
def search(
    output: Output,
    recipe: OptionalName = None,
    data: OptionalData = None,
    *,
    options: SearchOptions,
    as_json: Json = False,
) -> None:
    """Search for better values of a recipe's keys.

    Only training and validation images are opened. With --resume it needs only -o.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.search import search as search_values

    images = None if data is None else read_manifest(data)
    with training_progress() as callbacks:
        found = search_values(recipe, images, output, options, callbacks, _say_trial)
    if as_json:
        print_json(found.record())
        return
    typer.echo(found.text())
    if found.best is None:
        typer.echo("No trial is complete. Resume with more --trials: --resume.")
    else:
        best = shlex.quote(str(found.folder.best))
        typer.echo(f"Next: pulmo train {best} --data M -o RUN")


def _say_trial(row: "TrialRow") -> None:
    say(f"trial {row.number} is {row.state}: {row.loss}")
