"""Progress: how a use case reports how far it is."""

from collections.abc import Callable
from functools import partial

OnProgress = Callable[[str, int, int], None]
"""Called with the name of a stage, how much of it is done, and how much there is in all."""


def no_progress(_stage: str, _done: int, _total: int) -> None:
    """Reports nothing."""


def of_stage(on_progress: OnProgress, stage: str) -> Callable[[int, int], None]:
    """Returns what reports the progress of one stage."""
    return partial(on_progress, stage)
