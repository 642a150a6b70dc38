"""pulmo search."""

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pulmo.cli.console import print_json, say
from pulmo.cli.initial_weights import FromScratch
from pulmo.cli.train import (
    Data,
    Device,
    Name,
    Quick,
    Ray,
    RayAddress,
    Resume,
    Settings,
    Threads,
    ray_cluster,
)
from pulmo.core.output import claimed_folder

if TYPE_CHECKING:
    from optuna import Study

    from pulmo.experiments.trials import TrialRow
    from pulmo.workflows.search import Limits, Plan


def search(
    recipe: Name,
    data: Data,
    space: Annotated[
        Path, typer.Option(help='TOML: "section.key" = {low, high, log} or {choices}.')
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of the search.")],
    settings: Settings = None,
    quick: Quick = False,
    scratch: FromScratch = False,
    trials: Annotated[int, typer.Option(help="Trials to finish in all.", min=1)] = 20,
    timeout: Annotated[
        float | None, typer.Option(metavar="MIN", help="Begin no trial after so many minutes.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of what is tried.", min=0)] = 0,
    pruner: Annotated[
        Literal["median", "hyperband", "none"],
        typer.Option(help="What ends trials before their time."),
    ] = "median",
    resume: Resume = False,
    device: Device = "auto",
    threads: Threads = 0,
    ray: Ray = False,
    ray_address: RayAddress = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Search for better values of a recipe's keys.

    Only training and validation images are opened.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.experiments.search_space import Base, read_space

    # What can be wrong with the command line, before torch is imported, which takes seconds.
    base = Base(recipe, tuple(settings or ()), quick, scratch)
    base.recipe()
    manifest, searched = read_manifest(data), read_space(space, base)

    from pulmo.core.folders import SearchFolder
    from pulmo.experiments.folds import usable
    from pulmo.experiments.search_folder import claim_search
    from pulmo.models.classifier import check_weights
    from pulmo.workflows.search import Limits, Plan

    plan = Plan(SearchFolder(output.absolute()), base, searched, seed, pruner, device)
    images = usable(base.recipe(), manifest)
    identity = {
        "recipe": base.recipe().sha256,
        "space": {key: dimension.model_dump() for key, dimension in plan.space.items()},
        "seed": seed,
        "pruner": pruner,
    }
    with claimed_folder(output):
        if not resume:
            check_weights(base.recipe().model)
        claim_search(plan.folder, identity, images, resume=resume)
    deadline = time.monotonic() + 60 * timeout if timeout is not None else float("inf")
    _search(plan, Limits(trials, deadline), ray_cluster(ray, ray_address), threads)
    _tell(plan, as_json=as_json)


def _search(plan: "Plan", limits: "Limits", cluster: str | None, threads: int) -> None:
    from pulmo.cli.repeats import chosen_executor, refuse_team
    from pulmo.experiments.trials import keep_best, list_trials
    from pulmo.workflows.search import run_search

    def on_done(study: "Study", number: int) -> None:
        keep_best(study, plan.folder)
        row = list_trials(study, plan.folder)[number]
        say(f"trial {number} is {row.state}: {_loss(row)}")

    refuse_team()
    with chosen_executor(plan.base.recipe(), cluster, plan.device, threads) as executor:
        run_search(plan, limits, executor, on_done)


def _tell(plan: "Plan", *, as_json: bool) -> None:
    """Tells what came of the search."""
    from pulmo.experiments.trials import best_of, list_trials
    from pulmo.report.markdown import markdown_table
    from pulmo.workflows.search import opened_study

    with opened_study(plan) as study:
        rows = list_trials(study, plan.folder)
    best = best_of(rows)
    note = (
        f"The best validation loss is optimistic: it is the lowest of {len(rows)} trials on the "
        "very images that chose it. Train the recipe, and judge it once on images that took "
        "no part."
    )
    if as_json:
        result = {"trials": [row._asdict() for row in rows], "best": best and best.number}
        print_json({**result, "recipe": str(plan.folder.best) if best else None, "note": note})
        return
    heading = ["Trial", "State", "Validation loss", "Best epoch", "Epochs", "Minutes", *plan.space]
    typer.echo(markdown_table([heading, *(_cells(row, plan) for row in rows)]))
    if best is None:
        typer.echo("No trial came to its end; raise --trials and go on with --resume.")
        return
    typer.echo(note)
    recipe = shlex.quote(str(plan.folder.best))
    typer.echo(f"The best is trial {best.number}. Next: pulmo train {recipe} --data M -o RUN")


def _cells(row: "TrialRow", plan: "Plan") -> list[str]:
    values = [row.tried.get(key) for key in plan.space]
    return [
        str(row.number),
        row.state,
        _loss(row),
        "-" if row.best_epoch is None else str(row.best_epoch),
        str(row.epochs),
        f"{row.minutes:.1f}",
        *(f"{value:.3g}" if isinstance(value, float) else str(value) for value in values),
    ]


def _loss(row: "TrialRow") -> str:
    return "-" if row.val_loss is None else f"{row.val_loss:.4f}"
