"""pulmo train."""

import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pulmo.cli.console import Report, chosen_output, progress, say
from pulmo.cli.initial_weights import FromScratch
from pulmo.cli.resumed import Asked, chosen_recipe
from pulmo.core.errors import InterruptedRunError, UsageError
from pulmo.core.output import claimed_folder

if TYPE_CHECKING:
    from pulmo.bundle.card import Card, Epoch
    from pulmo.core.recipe import Recipe
    from pulmo.datasets.manifest import Manifest
    from pulmo.experiments.executor import Listener
    from pulmo.train.loop import Callbacks

Name = Annotated[str, typer.Argument(help="A name of `pulmo recipes`, or a .toml file.")]
Data = Annotated[Path, typer.Option(help="A manifest with its split.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Change one value of the recipe."),
]
Device = Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="Where the network is.")]
Threads = Annotated[int, typer.Option(help="Threads of torch; 0 takes all cores.", min=0)]
Resume = Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")]
Quick = Annotated[bool, typer.Option("--quick", help="Take the recipe's own cheaper variant.")]
Ray = Annotated[bool, typer.Option("--ray", help="Spread the runs over a Ray cluster.")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="The cluster; without it $RAY_ADDRESS, else one is started on this machine.",
    ),
]


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="A name of `pulmo recipes`, or a .toml file."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(help="A manifest with its split; with --resume the run's own, if not given."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run's folder; run-RECIPE, if not given."),
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    scratch: FromScratch = False,
    resume: Resume = False,
    folds: Annotated[
        bool, typer.Option("--folds", help="Train once for each fold of the manifest, held out.")
    ] = False,
    seeds: Annotated[int, typer.Option(help="Train with so many seeds.", min=1)] = 1,
    device: Device = "auto",
    threads: Threads = 0,
    ray: Ray = False,
    ray_address: RayAddress = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary of folds and seeds as JSON.")
    ] = False,
) -> None:
    """Train a recipe on a manifest.

    With --folds or --seeds many times: each run is exported and judged, and all are summed up.
    With --resume the recipe and the manifest are the run's own, and need not be given again.
    """
    from pulmo.core.folders import RunFolder
    from pulmo.datasets.manifest import read_manifest

    asked = Asked(recipe, tuple(settings or ()), quick, scratch)
    if output is None:
        if resume:
            raise UsageError(
                "run-folder-not-given", "Name the folder of the run that is to go on: -o RUN."
            )
        output = chosen_output(None, Path(f"run-{asked.recipe().name}"))
    experiment = chosen_recipe(output, asked, resume=resume)
    if data is None:
        if not resume:
            raise UsageError("manifest-not-given", "Name the manifest with its split: --data M.")
        data = RunFolder(output).manifest
    manifest = read_manifest(data)
    address = ray_cluster(ray, ray_address)
    if folds or seeds > 1:
        from pulmo.cli.repeats import Choice, train_repeats

        choice = Choice(folds, seeds, resume, device, threads, address)
        train_repeats(experiment, manifest, output, choice, as_json=as_json)
    elif address is not None or as_json:
        raise UsageError(
            "option-needs-another", "--ray and --json are for many runs; add --folds or --seeds N."
        )
    else:
        use_threads(threads)
        _train_once(experiment, manifest, output, device, resume=resume)


def _train_once(
    recipe: "Recipe", manifest: "Manifest", output: Path, device: str, *, resume: bool
) -> None:
    """Trains one run and tells what came of it."""
    from pulmo.core.begun import check_folder
    from pulmo.core.files import write_atomically
    from pulmo.core.folders import RunFolder

    # torchrun's first process checks, writes and speaks for all.
    first = os.environ.get("RANK", "0") == "0"
    if first:
        check_folder(recipe, RunFolder(output), resume=resume)
    with claimed_folder(output):
        # torch takes seconds to import, which a typo in the recipe need not cost.
        from pulmo.datasets.cache import cache_folder
        from pulmo.report.figures import learning_curves
        from pulmo.train.run import Place, train_run

        place = Place(RunFolder(output), cache_folder(), device)
        finished = place.folder.card.exists()
        with listening(recipe) as listener:
            card = train_run(
                recipe,
                manifest,
                place,
                listener.watch,
                resume=resume,
                on_decode=listener.on_decode,
            )
    if first:
        write_atomically(place.folder.curves, learning_curves(card.training).encode())
        _tell_result(output, card, finished=finished)


def use_threads(threads: int) -> None:
    """Lets torch use so many threads; 0 leaves it as it is."""
    if threads:
        import torch

        torch.set_num_threads(threads)


def ray_cluster(wanted: bool, address: str | None) -> str | None:  # noqa: FBT001 - an option
    """Returns the address of the Ray cluster that the options choose; None for none."""
    if address is None and not wanted:
        return None
    return address or os.environ.get("RAY_ADDRESS") or "local"


@contextmanager
def listening(recipe: "Recipe") -> "Iterator[Listener]":
    """Gives what shows how far a run of the recipe is, and stops it in good order."""
    from pulmo.experiments.executor import Listener

    stages = ("decoding", "running the frozen base", "training")
    with progress(*stages) as (decoding, features, training), stop_in_order() as stop:
        watch = _watch(recipe, features, training, stop)
        yield Listener(watch, _stoppable(decoding, stop), lambda name: say(f"{name}:"))


@contextmanager
def stop_in_order() -> Iterator[Event]:
    """Gives an event that Ctrl-C or SIGTERM sets, so that a run can end with a checkpoint.

    A second Ctrl-C or SIGTERM ends the program at once.
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(_number: int, _frame: FrameType | None) -> None:
        say("Stopping in good order; once more stops at once.")
        stop.set()
        for number, handler in before.items():
            signal.signal(number, handler)

    for number in before:
        signal.signal(number, handle)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(recipe: "Recipe", features: Report, training: Report, stop: Event) -> "Callbacks":
    """Returns what shows a run's steps and epochs, and stops it."""
    from pulmo.train.loop import Callbacks

    return Callbacks(
        on_step=lambda epoch, step, steps, _: training(
            epoch * steps + step, sum(stage.epochs for stage in recipe.train.plan) * steps
        ),
        on_epoch=_tell_epoch,
        on_features=features,
        should_stop=stop.is_set,
    )


def _stoppable(report: Report, stop: Event) -> Callable[[int, int], None]:
    """Returns `report`, but it ends the run once `stop` is set: there is nothing to keep yet."""

    def checked(done: int, total: int) -> None:
        report(done, total)
        if stop.is_set():
            raise InterruptedRunError("interrupted", "Interrupted before training began.")

    return checked


def _tell_epoch(epoch: "Epoch") -> None:
    say(
        f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4f}, validation loss "
        f"{epoch.val_loss:.4f}, balanced accuracy {epoch.val_balanced_accuracy:.3f}, "
        f"{epoch.images_per_second:.0f} images/s"
    )


def _tell_result(output: Path, card: "Card", *, finished: bool) -> None:
    best = card.training.history[card.training.best_epoch - 1]
    typer.echo(
        f"{output}: {'finished already, ' if finished else ''}best epoch {best.epoch}, validation "
        f"loss {best.val_loss:.4f}, balanced accuracy {best.val_balanced_accuracy:.3f}. "
        f"Next: pulmo export {shlex.quote(str(output))} -o BUNDLE"
    )
