"""The folds and seeds of pulmo train."""

import os
import shlex
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import typer

from pulmo.cli.console import say
from pulmo.cli.output import claimed_folder
from pulmo.cli.train import listening, use_threads
from pulmo.core.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pulmo.core.recipe import Recipe
    from pulmo.datasets.manifest import Manifest
    from pulmo.study.crew import Crew


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
    data: Path,
    output: Path,
    choice: Choice,
    *,
    as_json: bool,
) -> None:
    """Trains a recipe with each fold held out, with each seed, and tells what came of it."""
    from pulmo.core.files import write_atomically
    from pulmo.core.record import write_record
    from pulmo.models.classifier import check_weights
    from pulmo.study.crew import do_all
    from pulmo.study.repeats import Repeat, claim_repeats, plan_repeats, works_of
    from pulmo.study.repeats_folder import RepeatsFolder
    from pulmo.study.summarise import summarise
    from pulmo.study.summary_text import summary_text

    refuse_team()
    folder = RepeatsFolder(output.absolute())
    cores = choice.threads or int(choice.cluster is not None)
    fold = 0 if choice.folds else None
    first = Repeat(folder, recipe, fold, device=choice.device, threads=cores)
    command = f"pulmo data split {shlex.quote(str(data))} --folds 5 -o FOLDS.parquet"
    with claimed_folder(output):
        runs, images = plan_repeats(first, manifest, choice.seeds, command)
        if not choice.resume:
            check_weights(recipe.model)
        claim_repeats(folder, images, resume=choice.resume)
    done: list[str] = []

    def on_done(name: str) -> None:
        done.append(name)
        say(f"{name} is done, {len(done)} of {len(runs)}")

    with chosen_crew(recipe, choice.cluster, choice.device, choice.threads) as crew:
        do_all(works_of(runs), crew, on_done)
    summary = summarise(runs)
    text = summary_text(summary)
    write_atomically(folder.text, text.encode())
    write_record(folder.summary, summary)
    typer.echo(summary.model_dump_json(indent=2) if as_json else f"{text}\n{folder.summary}")


@contextmanager
def chosen_crew(
    recipe: "Recipe", cluster: str | None, device: str, threads: int
) -> "Iterator[Crew]":
    """Gives who does the runs: a Ray cluster, or this process, which tells how far it is."""
    if cluster is None:
        from pulmo.study.crew import Alone

        use_threads(threads)
        with listening(recipe) as listener:
            yield Alone(listener)
        return
    from pulmo.study.cluster import Share, joined_cluster

    with joined_cluster(cluster, Share(threads or 1, device)) as crew:
        yield crew


def refuse_team() -> None:
    """Refuses to do many runs in each of the processes that torchrun started."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "torchrun lets several processes share one run; to spread many runs, start pulmo "
            "without it and add --ray."
        )
