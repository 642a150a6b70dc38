"""Work on many files at once, in their order, which ends at once when its user does."""

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from enum import Enum
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class Pause(Enum):
    """What an iterator of items gives before it waits for the next one."""

    PAUSE = "pause"


PAUSE: Final = Pause.PAUSE


def cores() -> int:
    """Returns how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_threads(
    work: Callable[[Item], Result],
    items: Iterable[Item | Pause],
    abandon: Callable[[], None] = lambda: None,
    most: int | None = None,
) -> Generator[Result, None, None]:
    """Yields the result of each item in the items' order, computed in one thread a core.

    At most two items a core are begun beyond the one whose result is awaited, so memory is bounded
    however slowly the results are used. Close the generator (`contextlib.closing`) so that an
    interruption or an error between two results drops what was not begun.

    Args:
        work: makes a result of an item.
        items: they are taken as they are needed. `PAUSE` is none of them: all results so far are
            yielded before the next item is taken, so that whoever gives an item and waits for its
            result gets it.
        abandon: called before the rest is dropped, so that what is being worked on ends too.
        most: threads at most; None for no limit but the cores.

    Raises:
        Exception: whatever `work` raises, in its place in the order.
    """
    workers = min(cores(), most or cores())
    pool = ThreadPoolExecutor(workers)
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            if not isinstance(item, Pause):
                pending.append(pool.submit(work, item))
            while pending and (item is PAUSE or len(pending) > 2 * workers):
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BaseException:
        abandon()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
