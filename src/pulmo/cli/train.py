"""pulmo train."""

import os
import shlex
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import Report, progress, say
from pulmo.cli.output import claim_folder
from pulmo.core.errors import InterruptedRunError

if TYPE_CHECKING:
    from pulmo.bundle.card import Card, Epoch
    from pulmo.core.recipe import Recipe
    from pulmo.train.watch import Watch

Name = Annotated[str, typer.Argument(help="A name of `pulmo recipes`, or a .toml file.")]
Data = Annotated[Path, typer.Option(help="A manifest with its split.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Change one value of the recipe."),
]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Threads = Annotated[int, typer.Option(help="Threads of torch; 0 takes all cores.", min=0)]


def train(
    recipe: Name,
    data: Data,
    output: Annotated[Path, typer.Option("--output", "-o", help="The run's folder.")],
    settings: Settings = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Take the recipe's own cheaper variant.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    device: Device = "auto",
    threads: Threads = 0,
) -> None:
    """Train a recipe on a manifest."""
    from pulmo.core.files import write_atomically
    from pulmo.core.recipe import load_recipe
    from pulmo.core.run_folder import RunFolder
    from pulmo.core.tables import read_manifest

    experiment = load_recipe(recipe, settings or [], quick=quick)
    manifest = read_manifest(data)
    claim_folder(output)

    # torch takes seconds to import, which a typo in the recipe need not cost.
    from pulmo.datasets.cache import cache_folder
    from pulmo.report.figures import learning_curves
    from pulmo.train.run import Place, train_run

    use_threads(threads)
    place = Place(RunFolder(output), cache_folder(), device)
    finished = place.folder.card.exists()
    stages = ("decoding", "running the frozen base", "training")
    with progress(*stages) as (decoding, features, training), stop_in_order() as stop:
        card = train_run(
            experiment,
            manifest,
            place,
            _watch(experiment, features, training, stop),
            resume=resume,
            on_decode=_stoppable(decoding, stop),
        )
    # torchrun's first process speaks for all.
    if os.environ.get("RANK", "0") != "0":
        return
    write_atomically(place.folder.curves, learning_curves(card.training).encode())
    _tell_result(output, card, finished=finished)


def use_threads(threads: int) -> None:
    """Lets torch use so many threads; 0 leaves it as it is."""
    if threads:
        import torch

        torch.set_num_threads(threads)


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


def _watch(recipe: "Recipe", features: Report, training: Report, stop: Event) -> "Watch":
    """Returns what shows a run's steps and epochs, and stops it."""
    from pulmo.train.watch import Watch

    return Watch(
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
            raise InterruptedRunError("Interrupted before training began.")

    return checked


def _tell_epoch(epoch: "Epoch") -> None:
    say(
        f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4f}, validation loss "
        f"{epoch.val_loss:.4f}, balanced accuracy {epoch.val_balanced_accuracy:.3f}, "
        f"{epoch.images_per_second:.0f} pictures/s"
    )


def _tell_result(output: Path, card: "Card", *, finished: bool) -> None:
    best = card.training.history[card.training.best_epoch - 1]
    typer.echo(
        f"{output}: {'finished already, ' if finished else ''}best epoch {best.epoch}, validation "
        f"loss {best.val_loss:.4f}, balanced accuracy {best.val_balanced_accuracy:.3f}. "
        f"Next: pulmo export {shlex.quote(str(output))} -o BUNDLE"
    )
