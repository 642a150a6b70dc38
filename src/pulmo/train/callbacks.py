"""Callbacks: what the caller of a training run is called with, and how it stops the run."""

from collections.abc import Callable
from typing import NamedTuple

from pulmo.bundle.card import Epoch


class StepDone(NamedTuple):
    """A training step that was made.

    Attributes:
        number: its number within the epoch, from 1.
        steps: how many steps an epoch has.
        epoch: the epoch, from 0.
        epochs: how many epochs the recipe has in all.
        loss: the mean loss of the epoch so far.
    """

    number: int
    steps: int
    epoch: int
    epochs: int
    loss: float


class Callbacks(NamedTuple):
    """The functions that a run calls.

    Attributes:
        on_decode: called with the images decoded and the images in all, before the first step.
        on_features: called with the images that a frozen base has seen, and those in all.
        on_step: called after each step.
        on_epoch: called after each epoch.
        on_begin: called with the name of a run before it begins, where there are many runs.
        on_note: called with each sentence that the user should read.
        should_stop: called after each step or batch; True ends the run with a checkpoint.
    """

    on_decode: Callable[[int, int], None] = lambda *_: None
    on_features: Callable[[int, int], None] = lambda *_: None
    on_step: Callable[[StepDone], None] = lambda _: None
    on_epoch: Callable[[Epoch], None] = lambda _: None
    on_begin: Callable[[str], None] = lambda _: None
    on_note: Callable[[str], None] = lambda _: None
    should_stop: Callable[[], bool] = lambda: False
