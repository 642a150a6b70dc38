"""What the verbs of training share: their arguments, progress, and how Ctrl-C stops them."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import progress, say
from pulmo.core.errors import InterruptedRunError

if TYPE_CHECKING:
    from pulmo.bundle.card import Epoch
    from pulmo.train.callbacks import Callbacks

_RECIPE: Final = "A name of `pulmo recipes`, or a .toml file."

Name = Annotated[str, typer.Argument(help=_RECIPE)]
OptionalName = Annotated[str | None, typer.Argument(metavar="RECIPE", help=_RECIPE)]
OptionalData = Annotated[
    Path | None,
    typer.Option(help="The manifest with its split. Default with --resume: that of the folder."),
]


@contextmanager
def training_progress() -> "Iterator[Callbacks]":
    """Gives the callbacks that show how far a run is and let Ctrl-C stop it with a checkpoint."""
    from pulmo.train.callbacks import Callbacks

    stages = ("decoding", "running the frozen base", "training")
    with progress(*stages) as (decoding, features, training), stop_with_checkpoint() as stop:

        def on_decode(done: int, total: int) -> None:
            decoding(done, total)
            if stop.is_set():  # there is nothing to keep yet
                raise InterruptedRunError("interrupted", "Interrupted before training began.")

        yield Callbacks(
            on_decode=on_decode,
            on_features=features,
            on_step=lambda step: training(
                step.epoch * step.steps + step.number, step.epochs * step.steps
            ),
            on_epoch=_say_epoch,
            on_begin=lambda name: say(f"{name}:"),
            on_note=say,
            should_stop=stop.is_set,
        )


@contextmanager
def stop_with_checkpoint() -> Iterator[Event]:
    """Gives an event that Ctrl-C or SIGTERM sets, so that a run can end with a checkpoint.

    A second Ctrl-C or SIGTERM ends the program at once.
    """
    stop = Event()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def handle(_number: int, _frame: FrameType | None) -> None:
        say("Saving a checkpoint and stopping. Press Ctrl-C again to stop at once.")
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


def _say_epoch(epoch: "Epoch") -> None:
    score = "" if epoch.val_score is None else f", chosen by {epoch.val_score:.4f}"
    say(
        f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4f}, validation loss "
        f"{epoch.val_loss:.4f}{score}, balanced accuracy {epoch.val_balanced_accuracy:.3f}, "
        f"{epoch.images_per_second:.0f} images/s"
    )
