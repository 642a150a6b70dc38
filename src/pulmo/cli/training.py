"""What the verbs of training share: their options, their progress, and how Ctrl-C stops them."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pulmo.cli.console import progress, say
from pulmo.core.errors import InterruptedRunError

if TYPE_CHECKING:
    from pulmo.bundle.card import Epoch
    from pulmo.train.callbacks import Callbacks

Name = Annotated[str, typer.Argument(help="A name of `pulmo recipes`, or a .toml file.")]
OptionalName = Annotated[
    str | None,
    typer.Argument(metavar="RECIPE", help="A name of `pulmo recipes`, or a .toml file."),
]
Data = Annotated[Path, typer.Option(help="The manifest with its split.")]
OptionalData = Annotated[
    Path | None,
    typer.Option(help="The manifest with its split. Default with --resume: that of the folder."),
]
Output = Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=VALUE", help="Change one value of the recipe. Repeatable."),
]
Device = Annotated[
    Literal["auto", "cpu", "cuda"],
    typer.Option(help="Where the network runs; auto takes a GPU if there is one."),
]
Threads = Annotated[int, typer.Option(help="Threads of torch; 0 takes all cores.", min=0)]
Resume = Annotated[
    bool, typer.Option("--resume", help="Continue what the folder holds, with its own settings.")
]
Quick = Annotated[bool, typer.Option("--quick", help="Take the recipe's cheaper variant.")]
FromScratch = Annotated[
    bool,
    typer.Option(
        "--from-scratch", help="Start from random weights, with the recipe's variant for that."
    ),
]
Ray = Annotated[bool, typer.Option("--ray", help="Spread the runs over a Ray cluster.")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT",
        help="The address of the cluster. Default: $RAY_ADDRESS, or a new cluster on this machine.",
    ),
]


def ray_cluster(wanted: bool, address: str | None) -> str | None:  # noqa: FBT001 - an option
    """Returns the address of the Ray cluster that the options choose; None for none."""
    if address is None and not wanted:
        return None
    return address or os.environ.get("RAY_ADDRESS") or "local"


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
    say(
        f"epoch {epoch.epoch}: train loss {epoch.train_loss:.4f}, validation loss "
        f"{epoch.val_loss:.4f}, balanced accuracy {epoch.val_balanced_accuracy:.3f}, "
        f"{epoch.images_per_second:.0f} images/s"
    )
