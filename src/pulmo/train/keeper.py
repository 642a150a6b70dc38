"""Keeper: when a run's checkpoints are written."""

import math
import time
from typing import TYPE_CHECKING, Final

from pulmo.core.folders import RunFolder
from pulmo.train.checkpoint import Progress, save_checkpoint, save_tensors, state
from pulmo.train.engine import Engine

if TYPE_CHECKING:
    from torch import Tensor

_APART: Final = 10.0
"""Seconds between two checkpoints at the ends of epochs.

On the features of a frozen base an epoch takes a fraction of the time that its files take.
"""


class Keeper:
    """Writes the best weights and the last state of a run; in a team its first process alone does.

    What a run has done since its last checkpoint follows from that one, so nothing but time is lost
    with a run that dies. The best weights wait in memory until the state that knows of them is
    written, and go before it: a run that dies between the two files writes the same ones again.
    """

    def __init__(self, folder: RunFolder) -> None:
        """Keeps checkpoints in `folder`."""
        self._folder = folder
        self._best: dict[str, Tensor] | None = None
        self._written = -math.inf
        self._behind = False

    def note_epoch(self, engine: Engine, progress: Progress, *, improved: bool) -> None:
        """Takes note of the end of an epoch, and writes a checkpoint if one is due.

        Args:
            engine: what the epoch was trained with.
            progress: at the start of the next epoch.
            improved: whether the validation loss is the lowest so far.
        """
        if improved and not engine.team.rank:
            self._best = {name: value.clone() for name, value in state(engine.judged).items()}
        self._behind = True
        if time.monotonic() - self._written >= _APART:
            self.keep(engine, progress)

    def finish_stage(self, engine: Engine, progress: Progress) -> None:
        """Writes what is not written yet: the next stage starts from the best weights' file."""
        if self._behind:
            self.keep(engine, progress)

    def keep(self, engine: Engine, progress: Progress) -> None:
        """Writes a checkpoint.

        Raises:
            InputError: it cannot be written, for example because the disk is full.
        """
        if not engine.team.rank:
            if self._best is not None:
                save_tensors(self._folder.best_checkpoint, self._best)
                self._best = None
            save_checkpoint(self._folder.last_checkpoint, engine.learner, progress)
        self._written, self._behind = time.monotonic(), False
