"""Crew: who does the runs of a study, this process by itself or a Ray cluster.

A run is a function that writes a folder and returns nothing. What came of it is read from the
folder, so it does not matter who wrote it, when, or in how many attempts.
"""

from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

from pulmo.bundle.card import Epoch
from pulmo.train.watch import Watch


class Listener(NamedTuple):
    """What hears of a run while it is under way.

    Attributes:
        watch: hears of its steps and epochs, and may stop it.
        on_decode: called with the pictures decoded and the pictures to decode.
        on_begin: called with the name of a run before it begins.
    """

    watch: Watch = Watch()
    on_decode: Callable[[int, int], None] | None = None
    on_begin: Callable[[str], None] = lambda _: None


Work = Callable[[Listener], None]
"""Does one run. Done twice, or again after it was cut off, it leaves the same folder."""


class Crew(Protocol):
    """Those who do runs."""

    @property
    def size(self) -> int:
        """How many runs they do at once."""

    def begin(self, name: str, work: Work) -> None:
        """Gives them a run to do; `name` is unlike that of any run they still have."""

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Waits until something happens.

        Args:
            on_news: called when a run may have finished an epoch.

        Returns:
            The names of the runs that are done now; there may be none.

        Raises:
            PulmoError: a run failed; the others are cut off.
        """


class Alone:
    """This process by itself: one run after the other, in the order in which they were given."""

    size = 1

    def __init__(self, listener: Listener | None = None) -> None:
        """Lets `listener` hear of every run."""
        self._listener = listener or Listener()
        self._given: deque[tuple[str, Work]] = deque()

    def begin(self, name: str, work: Work) -> None:
        """Puts a run at the end of the queue."""
        self._given.append((name, work))

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        """Does the first run of the queue; see `Crew`."""
        name, work = self._given.popleft()
        watch = self._listener.watch
        self._listener.on_begin(name)

        def on_epoch(epoch: Epoch) -> None:
            watch.on_epoch(epoch)
            on_news()

        work(self._listener._replace(watch=watch._replace(on_epoch=on_epoch)))
        return [name]


def do_all(works: Mapping[str, Work], crew: Crew, on_done: Callable[[str], None]) -> None:
    """Lets a crew do runs and returns when all are done.

    Args:
        works: name -> run.
        crew: those who do them.
        on_done: called with the name of each when it is done.

    Raises:
        PulmoError: a run failed.
    """
    left = set(works)
    for name, work in works.items():
        crew.begin(name, work)
    while left:
        for name in crew.wait(lambda: None):
            left.remove(name)
            on_done(name)
