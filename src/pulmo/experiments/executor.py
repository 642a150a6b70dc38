"""Executors: they do the runs of an experiment, in this process or on a Ray cluster.

A run is a function that writes a folder and returns nothing. Its result is read from the folder, so
it does not matter which process wrote it, when, or in how many attempts.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from pulmo.bundle.card import Epoch
from pulmo.train.loop import Callbacks


class Listener(NamedTuple):
    """What hears of a run while it is under way.

    Attributes:
        watch: hears of its steps and epochs, and may stop it.
        on_decode: called with the images decoded and the images to decode.
        on_begin: called with the name of a run before it begins.
    """

    watch: Callbacks = Callbacks()
    on_decode: Callable[[int, int], None] | None = None
    on_begin: Callable[[str], None] = lambda _: None


Work = Callable[[Listener], None]
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

    def __init__(self, listener: Listener | None = None) -> None:
        """Lets `listener` hear of every run."""
        self._listener = listener or Listener()
        self._queue: deque[tuple[str, Work]] = deque()

    def submit(self, name: str, work: Work) -> None:
        """Puts a run at the end of the queue."""
        self._queue.append((name, work))

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Does the first run of the queue; see `Executor.wait`."""
        name, work = self._queue.popleft()
        watch = self._listener.watch
        self._listener.on_begin(name)

        def on_epoch(epoch: Epoch) -> None:
            watch.on_epoch(epoch)
            on_news()

        work(self._listener._replace(watch=watch._replace(on_epoch=on_epoch)))
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
