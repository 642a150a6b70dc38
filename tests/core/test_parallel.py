import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Event

import pytest

from pulmo.core import parallel
from pulmo.core.parallel import PAUSE, Pause, cores, in_threads


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "cores", lambda: 2)


def test_results_come_in_the_order_of_the_items() -> None:
    second = Event()

    def work(item: int) -> int:
        """The first item ends after the second."""
        if item == 1:
            second.set()
        assert second.wait(10)
        return item * item

    assert list(in_threads(work, range(20))) == [n * n for n in range(20)]
    assert list(in_threads(work, ())) == []


def test_a_pause_has_all_results_before_the_next_item_is_taken() -> None:
    results: list[str] = []

    def items() -> Iterator[int | Pause]:
        yield PAUSE
        yield 1
        yield 2
        yield PAUSE
        assert results == ["1", "2"]
        yield 3

    for result in in_threads(str, items()):
        results += [result]
    assert results == ["1", "2", "3"]


def test_no_more_threads_than_are_asked_for() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(100):
            taken.append(number)
            yield number

    with closing(in_threads(str, items(), most=1)) as results:
        assert next(results) == "0"
        assert len(taken) == 3


def test_no_more_is_begun_than_memory_is_meant_for() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    with closing(in_threads(str, items())) as results:
        assert (next(results), len(taken)) == ("0", 5)
        assert (next(results), len(taken)) == ("1", 6)


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt])
def test_what_was_not_begun_is_dropped_when_the_user_ends(
    failure: type[BaseException], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both threads are held until the pool was asked to drop what waits."""
    begun: list[int] = []
    held, release = [Event(), Event()], Event()

    class Pool(ThreadPoolExecutor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the base's signature
            super().shutdown(wait=False, cancel_futures=cancel_futures)
            release.set()
            super().shutdown(wait=wait)

    def work(item: int) -> int:
        begun.append(item)
        if item:
            held[item - 1].set()
            assert release.wait(10)
        return item

    monkeypatch.setattr(parallel, "ThreadPoolExecutor", Pool)

    def use() -> None:
        with closing(in_threads(work, range(1000))) as results:
            assert next(results) == 0
            assert all(event.wait(10) for event in held)
            raise failure

    with pytest.raises(failure):
        use()
    assert sorted(begun) == [0, 1, 2]


def test_an_error_comes_in_its_place() -> None:
    with closing(in_threads(lambda item: 1 // item, [1, 0, 1])) as results:
        assert next(results) == 1
        with pytest.raises(ZeroDivisionError):
            next(results)


@pytest.mark.parametrize("ends", [True, False])
def test_running_work_is_abandoned_only_by_an_early_end(ends: bool) -> None:  # noqa: FBT001 - pytest's
    """Without it the threads, and with them the test, would not end."""
    abandoned = Event()

    def work(item: int) -> int:
        assert item == 0 or ends or abandoned.wait(10)
        return item

    with closing(in_threads(work, range(20), abandoned.set)) as results:
        assert next(results) == 0
        if ends:
            assert list(results) == list(range(1, 20))
    assert abandoned.is_set() is not ends


def test_the_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {1, 3, 4}, raising=False)
    assert cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert cores() == 7
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert cores() == 1
