"""pulmo train."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import chosen_output, say
from pulmo.cli.training import (
    Device,
    FromScratch,
    OptionalData,
    OptionalName,
    Quick,
    Ray,
    RayAddress,
    Resume,
    Settings,
    Threads,
    ray_cluster,
    training_progress,
)
from pulmo.core.errors import UsageError


def train(
    recipe: OptionalName = None,
    data: OptionalData = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run's folder. Default: run-RECIPE."),
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    scratch: FromScratch = False,
    resume: Resume = False,
    folds: Annotated[
        bool, typer.Option("--folds", help="Hold out each fold of the manifest once.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="How many seeds to train with.", min=1)] = 1,
    device: Device = "auto",
    threads: Threads = 0,
    ray: Ray = False,
    ray_address: RayAddress = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary of folds and seeds as JSON.")
    ] = False,
) -> None:
    """Train a recipe on a manifest.

    With --folds or --seeds it trains many runs; each is exported and evaluated, and all are
    summarised. With --resume it needs only -o: recipe, settings and manifest are those of the
    folder.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.repeat import RepeatOptions

    cluster = ray_cluster(ray, ray_address)
    many = folds or seeds > 1
    if not many and (cluster is not None or as_json):
        raise UsageError(
            "option-needs-another", "--ray and --json are for many runs. Add --folds or --seeds N."
        )
    options = RepeatOptions(
        settings=tuple(settings or ()),
        quick=quick,
        from_scratch=scratch,
        resume=resume,
        device=device,
        threads=threads,
        folds=folds,
        seeds=seeds,
        cluster=cluster,
    )
    if output is None and resume:
        raise UsageError("run-folder-not-given", "Name the folder to resume: -o RUN.")
    derived = output or Path(f"run-{options.recipe(recipe).name}")
    manifest = None if data is None else read_manifest(data)
    output = chosen_output(output, derived)
    if many:
        from pulmo.workflows.repeat import repeat

        with training_progress() as callbacks:
            repeats = repeat(recipe, manifest, output, options, callbacks, _say_done)
        text = repeats.folder.text.read_text(encoding="utf-8")
        summary = repeats.summary.model_dump_json(indent=2)
        typer.echo(summary if as_json else f"{text}\n{repeats.folder.index}")
        return
    from pulmo.workflows.train import is_first_process
    from pulmo.workflows.train import train as train_once

    with training_progress() as callbacks:
        run = train_once(recipe, manifest, output, options, callbacks)
    if not is_first_process():
        return
    finished = "finished already, " if run.finished_before else ""
    typer.echo(
        f"{output}: {finished}best epoch {run.best.epoch}, validation loss "
        f"{run.best.val_loss:.4f}, balanced accuracy {run.best.val_balanced_accuracy:.3f}. "
        f"Next: pulmo export {shlex.quote(str(output))} -o BUNDLE"
    )


def _say_done(name: str, done: int, total: int) -> None:
    say(f"{name} is done, {done} of {total}")
