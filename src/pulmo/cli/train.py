"""pulmo train."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import progress, say

if TYPE_CHECKING:
    from pulmo.bundle.card import Epoch


def train(
    recipe: Annotated[str, typer.Argument(help="A name of `pulmo recipes`, or a .toml file.")],
    data: Annotated[Path, typer.Option(help="A manifest with its split.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The run's folder.")],
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="A.B=VALUE", help="Change one value of the recipe."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on after an interruption.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int, typer.Option(help="Threads of torch; 0 takes all cores.", min=0)] = 0,
) -> None:
    """Train a recipe on a manifest."""
    from pulmo.core.files import write_atomically
    from pulmo.core.recipe import load_recipe
    from pulmo.core.run_folder import RunFolder
    from pulmo.core.tables import read_manifest
    from pulmo.datasets.cache import cache_folder
    from pulmo.report.figures import learning_curves
    from pulmo.train.loop import Watch
    from pulmo.train.run import Place, train_run

    experiment = load_recipe(recipe, settings or [])
    manifest = read_manifest(data)
    if threads:
        import torch

        torch.set_num_threads(threads)
    place = Place(RunFolder(output), cache_folder(), device)
    with (
        progress("decoding") as decoding,
        progress("training") as training,
        stop_in_order() as stop,
    ):
        watch = Watch(
            on_step=lambda epoch, step, steps, _: training(
                epoch * steps + step, experiment.train.epochs * steps
            ),
            on_epoch=_tell_epoch,
            should_stop=stop.is_set,
        )
        card = train_run(experiment, manifest, place, watch, resume=resume, on_decode=decoding)
    write_atomically(place.folder.curves, learning_curves(card.training).encode())
    best = card.training.history[card.training.best_epoch - 1]
    typer.echo(
        f"{output}: best epoch {best.epoch}, validation loss {best.val_loss:.4f}, "
        f"balanced accuracy {best.val_balanced_accuracy:.3f}. Next: pulmo export {output} -o BUNDLE"
    )


@contextmanager
def stop_in_order() -> Iterator[Event]:
    """Gives an event that Ctrl-C or SIGTERM sets, so that a run can end with a checkpoint.

    A second Ctrl-C or SIGTERM ends the program at once.
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(_number: int, _frame: FrameType | None) -> None:
        say("Stopping after this step; a checkpoint is being written.")
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


def _tell_epoch(epoch: "Epoch") -> None:
    say(
        f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4f}, validation loss "
        f"{epoch.val_loss:.4f}, balanced accuracy {epoch.val_balanced_accuracy:.3f}, "
        f"{epoch.images_per_second:.0f} pictures/s"
    )
