"""The folds and seeds of pulmo train."""

import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from pulmo.cli.console import say
from pulmo.cli.train import listening, use_threads
from pulmo.core.errors import UsageError
from pulmo.core.output import claimed_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulmo.core.recipe import Recipe
    from pulmo.datasets.manifest import Manifest
    from pulmo.experiments.executor import Executor


class Choice(NamedTuple):
    """What the options of the command choose.

    Attributes:
        folds: whether to hold each fold out.
        seeds: how many seeds.
        resume: whether to go on with the runs in the folder.
        device: auto, cpu or cuda.
        threads: threads of torch; 0 takes all cores.
        cluster: the address of a Ray cluster; None for this process alone.
    """

    folds: bool
    seeds: int
    resume: bool
    device: str
    threads: int
    cluster: str | None


def train_repeats(
    recipe: "Recipe",
    manifest: "Manifest",
    output: Path,
    choice: Choice,
    *,
    as_json: bool,
) -> None:
    """Trains a recipe with each fold held out, with each seed, and tells what came of it."""
    from pulmo.core.files import write_atomically
    from pulmo.core.folders import RepeatsFolder
    from pulmo.core.record import write_record
    from pulmo.experiments.executor import run_all
    from pulmo.experiments.summary_text import summary_text
    from pulmo.models.classifier import check_weights
    from pulmo.workflows.repeat import Repeat, claim_repeats, plan_repeats, works_of
    from pulmo.workflows.summarise import summarise

    refuse_team()
    folder = RepeatsFolder(output.absolute())
    cores = choice.threads or int(choice.cluster is not None)
    fold = 0 if choice.folds else None
    first = Repeat(folder, recipe, fold, device=choice.device, threads=cores)
    with claimed_folder(output):
        runs, images = plan_repeats(first, manifest, choice.seeds)
        if not choice.resume:
            check_weights(recipe.model)
        claim_repeats(folder, images, resume=choice.resume)
    done: list[str] = []

    def on_done(name: str) -> None:
        done.append(name)
        say(f"{name} is done, {len(done)} of {len(runs)}")

    with chosen_executor(recipe, choice.cluster, choice.device, choice.threads) as executor:
        run_all(works_of(runs), executor, on_done)
    summary = summarise(runs)
    text = summary_text(summary)
    write_atomically(folder.text, text.encode())
    write_record(folder.index, summary)
    typer.echo(summary.model_dump_json(indent=2) if as_json else f"{text}\n{folder.index}")


@contextmanager
def chosen_executor(
    recipe: "Recipe", cluster: str | None, device: str, threads: int
) -> "Iterator[Executor]":
    """Gives who does the runs: a Ray cluster, or this process, which tells how far it is."""
    if cluster is None:
        from pulmo.experiments.executor import LocalExecutor

        use_threads(threads)
        with listening(recipe) as listener:
            yield LocalExecutor(listener)
        return
    from pulmo.experiments.ray_cluster import Share, joined_cluster

    with joined_cluster(cluster, Share(threads or 1, device)) as executor:
        yield executor


def refuse_team() -> None:
    """Refuses to do many runs in each of the processes that torchrun started."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "repeats-in-torchrun",
            "With torchrun several processes share one run. To spread many runs, start pulmo "
            "without it and add --ray.",
        )
