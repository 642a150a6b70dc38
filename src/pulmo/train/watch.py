"""Watch: what the caller of a run hears, and how it stops one."""

from collections.abc import Callable
from typing import NamedTuple

from pulmo.bundle.card import Epoch


class Watch(NamedTuple):
    """What the caller hears of a run, and how it stops one.

    Attributes:
        on_step: called after each step with the epoch, the step, the steps an epoch and the mean
            loss of the epoch so far.
        on_epoch: called after each epoch.
        on_features: called with the pictures that a frozen base has seen, and those in all.
        should_stop: asked after each step or batch; True ends the run in good order.
    """

    on_step: Callable[[int, int, int, float], None] = lambda *_: None
    on_epoch: Callable[[Epoch], None] = lambda _: None
    on_features: Callable[[int, int], None] = lambda *_: None
    should_stop: Callable[[], bool] = lambda: False
