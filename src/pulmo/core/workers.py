"""Worker processes whose crash or hang costs one item, and not the work."""

import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from multiprocessing.connection import Connection, wait
from time import monotonic
from typing import Any, Final, Generic, Literal, NamedTuple, Self, TypeVar

from pulmo.core.errors import PulmoError

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD: Final = 2
"""Items that a worker has at once: one is worked on, the other is there when that one is done."""
_WINDOW: Final = 256
"""Items a worker that may be begun beyond the one whose result is awaited."""
_TRIES: Final = 2
"""Workers that may die of an item, since the system may have ended the first for another reason."""


class Lost(NamedTuple, Generic[Item]):
    """An item whose worker ended before it gave a result.

    Attributes:
        item: the item.
        why: `died`: the worker ended by itself; `slow`: it took longer than it may, and was ended.
    """

    item: Item
    why: Literal["died", "slow"]


@dataclass(eq=False)
class _Worker(Generic[Item]):
    """A worker process, and the places of the items that it was given, the current one first."""

    process: Any
    pipe: Connection
    given: deque[int] = field(default_factory=deque)
    since: float = field(default_factory=monotonic)
    ready: bool = False


class _Window(Generic[Item, Result]):
    """The items that are begun, by their place, and the results that came early."""

    def __init__(self, items: Iterable[Item]) -> None:
        self._source = enumerate(items)
        self.items: dict[int, Item] = {}
        self.results: dict[int, Result | Lost[Item]] = {}
        self.tries: dict[int, int] = {}
        self.again: deque[int] = deque()
        self.next_result = 0

    def take(self, most: int) -> int | None:
        """Returns the place of an item to begin; None if there is none, or enough are begun."""
        if self.again:
            return self.again.popleft()
        if len(self.items) + len(self.results) >= most:
            return None
        for place, item in islice(self._source, 1):
            self.items[place] = item
            return place
        return None

    def finish(self, place: int, result: "Result | Lost[Item]") -> None:
        """Keeps the result of an item."""
        del self.items[place]
        self.tries.pop(place, None)
        self.results[place] = result

    def in_order(self) -> "Iterator[Result | Lost[Item]]":
        """Yields the results that are next in order."""
        while self.next_result in self.results:
            self.next_result += 1
            yield self.results.pop(self.next_result - 1)


class WorkerPool(Generic[Item, Result]):
    """Worker processes that make a result of each item.

    A worker that dies, as by a fault of a decoder written in C, or that takes longer than `seconds`
    for an item, is replaced. A script that makes a pool does so below `if __name__ == "__main__":`,
    because the workers are new processes that import it. Use it as a context manager: at its end,
    and after an interruption, the workers are ended.

    Args:
        make: called once in each worker; returns what makes a result of an item. It is sent to the
            workers by pickle, as are items and results.
        workers: how many processes.
        seconds: that an item may take.
    """

    def __init__(
        self, make: Callable[[], Callable[[Item], Result]], *, workers: int, seconds: float
    ) -> None:
        self._make, self._seconds = make, seconds
        self._workers = [_start(make) for _ in range(workers)]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            _end(worker)

    def map(self, items: Iterable[Item]) -> Generator[Result | Lost[Item], None, None]:
        """Yields the result of each item in the items' order.

        Items are taken as they are needed, so memory is bounded. Take all results before the next
        call: a pool whose generator was left is only good to be closed.

        Raises:
            Exception: whatever `make` or its function raises.
            PulmoError: a worker cannot start.
        """
        window: _Window[Item, Result] = _Window(items)
        while True:
            for worker in self._workers:
                _fill(worker, window, len(self._workers))
            if not any(worker.given for worker in self._workers):
                return
            self._wait()
            self._workers = [
                _heard(each, window, self._make, self._seconds) for each in self._workers
            ]
            yield from window.in_order()

    def _wait(self) -> None:
        """Waits until a worker has sent something or ended, or an item has had its time."""
        busy = [worker.since for worker in self._workers if worker.given and worker.ready]
        left = max(0.0, min(busy) + self._seconds - monotonic()) if busy else None
        wait([worker.pipe for worker in self._workers], left)


def _start(make: Callable[[], Callable[[Item], Result]]) -> _Worker[Item]:
    """Starts a worker. It is a new process: a copy of this one would have its locks and threads."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_work, args=(make, theirs), daemon=True)
    process.start()
    theirs.close()
    return _Worker(process, ours)


def _work(make: Callable[[], Callable[[Any], Any]], pipe: Connection) -> None:
    """Works in a worker process until its pipe is closed."""
    # Ctrl-C reaches all processes of a terminal; the one that started the workers ends them.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        work = make()
        pipe.send((True, None))
        while True:
            pipe.send((True, work(pipe.recv())))
    except (EOFError, BrokenPipeError):
        return
    except Exception as error:  # noqa: BLE001 - it is raised where the work was asked for
        with suppress(OSError):
            pipe.send((False, error))


def _fill(worker: _Worker[Item], window: _Window[Item, Result], workers: int) -> None:
    """Gives a worker items until it has enough."""
    while len(worker.given) < _AHEAD:
        place = window.take(_WINDOW * workers)
        if place is None:
            return
        if not worker.given:
            worker.since = monotonic()
        worker.given.append(place)
        # A worker that died is noticed when its answer is awaited.
        with suppress(OSError):
            worker.pipe.send(window.items[place])


def _heard(
    worker: _Worker[Item],
    window: _Window[Item, Result],
    make: Callable[[], Callable[[Item], Result]],
    seconds: float,
) -> _Worker[Item]:
    """Takes what a worker has sent; returns the worker, or the one that replaces it."""
    try:
        while worker.pipe.poll():
            fine, value = worker.pipe.recv()
            worker.since = monotonic()
            if not fine:
                raise value
            if worker.ready:
                window.finish(worker.given.popleft(), value)
            worker.ready = True
    except (EOFError, OSError):
        return _replaced(worker, window, make, "died")
    if worker.ready and worker.given and monotonic() - worker.since > seconds:
        return _replaced(worker, window, make, "slow")
    return worker


def _replaced(
    worker: _Worker[Item],
    window: _Window[Item, Result],
    make: Callable[[], Callable[[Item], Result]],
    why: Literal["died", "slow"],
) -> _Worker[Item]:
    """Ends a worker and starts another; the item that it worked on may be lost, others are not."""
    _end(worker)
    if not worker.ready:
        raise PulmoError(
            "worker-not-started",
            f"A worker process ended as it began (exit status {worker.process.exitcode}). Perhaps "
            "the memory is too small, or a script starts the work outside of "
            '`if __name__ == "__main__":`.',
        )
    if worker.given:
        place = worker.given.popleft()
        window.tries[place] = window.tries.get(place, 0) + 1
        if why == "slow" or window.tries[place] >= _TRIES:
            window.finish(place, Lost(window.items[place], why))
        else:
            window.again.append(place)
    window.again.extend(worker.given)
    return _start(make)


def _end(worker: _Worker[Item]) -> None:
    """Ends a worker at once."""
    worker.pipe.close()
    with suppress(OSError, ValueError):
        os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.join()
