"""Executors: they do the runs of an experiment, in this process or on a Ray cluster.

A run is a function that writes a folder and returns nothing. Its result is read from the folder, so
it does not matter which process wrote it, when, or in how many attempts.
"""

import os
from collections import deque
from collections.abc import Callable, Mapping
from typing import Protocol

from pulmo.bundle.card import Epoch
from pulmo.core.errors import UsageError
from pulmo.train.callbacks import Callbacks

Work = Callable[[Callbacks], None]
"""Does one run. Done twice, or again after it was cut off, it leaves the same folder."""


class Executor(Protocol):
    """Does runs, one or several at once."""

    @property
    def size(self) -> int:
        """How many runs it does at once."""

    def submit(self, name: str, work: Work) -> None:
        """Submits a run; no other run that is not done has this `name`."""

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Waits until something happens.

        Args:
            on_news: called when a run may have finished an epoch.

        Returns:
            The names of the runs that are done now; there may be none.

        Raises:
            PulmoError: a run failed; the others are cut off.
        """


class LocalExecutor:
    """This process: one run after the other, in the order in which they were submitted."""

    size = 1

    def __init__(self, callbacks: Callbacks | None = None) -> None:
        """Calls `callbacks` for every run."""
        self._callbacks = callbacks or Callbacks()
        self._queue: deque[tuple[str, Work]] = deque()

    def submit(self, name: str, work: Work) -> None:
        """Puts a run at the end of the queue."""
        self._queue.append((name, work))

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Does the first run of the queue; see `Executor.wait`."""
        name, work = self._queue.popleft()
        callbacks = self._callbacks
        callbacks.on_begin(name)

        def on_epoch(epoch: Epoch) -> None:
            callbacks.on_epoch(epoch)
            on_news()

        work(callbacks._replace(on_epoch=on_epoch))
        return [name]


def run_all(works: Mapping[str, Work], executor: Executor, on_done: Callable[[str], None]) -> None:
    """Submits runs and returns when all are done.

    Args:
        works: name -> run.
        executor: does them.
        on_done: called with the name of each when it is done.

    Raises:
        PulmoError: a run failed.
    """
    left = set(works)
    for name, work in works.items():
        executor.submit(name, work)
    while left:
        for name in executor.wait(lambda: None):
            left.remove(name)
            on_done(name)


def refuse_several_processes() -> None:
    """Refuses to do many runs in each of the processes that torchrun started.

    Raises:
        UsageError: torchrun started several processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError(
            "repeats-in-torchrun",
            "The processes of torchrun share one run. Many runs are spread over a Ray cluster.",
        )
