"""pulmo search."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pulmo.cli.console import print_json, say
from pulmo.cli.training import (
    Device,
    FromScratch,
    OptionalData,
    OptionalName,
    Output,
    Quick,
    Ray,
    RayAddress,
    Resume,
    Settings,
    Threads,
    ray_cluster,
    training_progress,
)

if TYPE_CHECKING:
    from pulmo.experiments.trials import TrialRow
    from pulmo.workflows.search import SearchResult


def search(
    output: Output,
    recipe: OptionalName = None,
    data: OptionalData = None,
    space: Annotated[
        Path | None,
        typer.Option(
            help='TOML: "section.key" = {low, high, log} or {choices}. Default with --resume: that '
            "of the folder."
        ),
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    scratch: FromScratch = False,
    trials: Annotated[int, typer.Option(help="How many trials to finish in all.", min=1)] = 20,
    timeout: Annotated[
        float | None,
        typer.Option(metavar="MIN", help="Minutes after which no trial begins. Default: no limit."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="Seed of the values that are tried. Default: 0.", min=0)
    ] = None,
    pruner: Annotated[
        Literal["median", "hyperband", "none"] | None,
        typer.Option(help="What ends poor trials early. Default: median."),
    ] = None,
    resume: Resume = False,
    device: Device = "auto",
    threads: Threads = 0,
    ray: Ray = False,
    ray_address: RayAddress = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Search for better values of a recipe's keys.

    Only training and validation images are opened. With --resume it needs only -o.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.search import SearchOptions
    from pulmo.workflows.search import search as search_values

    options = SearchOptions(
        settings=tuple(settings or ()),
        quick=quick,
        from_scratch=scratch,
        resume=resume,
        device=device,
        threads=threads,
        space=space,
        trials=trials,
        minutes=timeout,
        seed=seed,
        pruner=pruner,
        cluster=ray_cluster(ray, ray_address),
    )
    images = None if data is None else read_manifest(data)
    with training_progress() as callbacks:
        found = search_values(recipe, images, output, options, callbacks, _say_trial)
    if as_json:
        print_json(_record(found))
    else:
        _print(found)


def _say_trial(row: "TrialRow") -> None:
    say(f"trial {row.number} is {row.state}: {row.loss}")


def _record(found: "SearchResult") -> dict[str, object]:
    return {
        "trials": [row._asdict() for row in found.trials],
        "best": found.best and found.best.number,
        "recipe": str(found.folder.best) if found.best else None,
        "note": found.note,
    }


def _print(found: "SearchResult") -> None:
    from pulmo.experiments.trials import trials_text

    typer.echo(trials_text(found.trials, found.keys))
    if found.best is None:
        typer.echo("No trial is complete. Resume with more --trials: --resume.")
        return
    typer.echo(found.note)
    recipe = shlex.quote(str(found.folder.best))
    typer.echo(f"The best is trial {found.best.number}. Next: pulmo train {recipe} --data M -o RUN")
