"""Worker processes that crash and hang."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from fixtures.faulty_workers import dying, faulty, raising
from fixtures.refuses import refuses
from pulmo.core.workers import Lost, WorkerPool

pytestmark = pytest.mark.usefixtures("unmeasured_workers")


def results_of(
    make: Callable[[], Callable[[str], str]], items: list[str], workers: int = 1, seconds: float = 5
) -> list[str | Lost[str]]:
    with WorkerPool(make, workers=workers, seconds=seconds) as pool:
        return list(pool.map(items))


class TestPool:
    """Results, their order, and what workers that end cost."""

    def test_a_crash_and_a_hang_cost_one_item_each(self, tmp_path: Path) -> None:
        items = [f"ok:{i}" for i in range(40)]
        items[5:5], items[9:9], items[20:20] = ["die:a"], ["hang:b"], ["die-once:c"]
        trace = tmp_path / "trace"
        found = results_of(partial(faulty, trace), items, workers=2, seconds=1.0)
        wanted: list[str | Lost[str]] = [item.upper() for item in items]
        wanted[5], wanted[items.index("hang:b")] = Lost("die:a", "died"), Lost("hang:b", "slow")
        assert found == wanted
        begun = [line.split()[0] for line in trace.read_text().splitlines()]
        # An item that may have killed its worker is tried once more; one that hangs is not.
        assert [begun.count(item) for item in ("die:a", "hang:b", "die-once:c")] == [2, 1, 2]
        assert all(begun.count(item) == 1 for item in items if item.startswith("ok"))
        assert len({line.split()[1] for line in trace.read_text().splitlines()}) >= 4

    def test_items_are_taken_as_needed_and_workers_end_with_the_pool(self, tmp_path: Path) -> None:
        taken = []

        def endless() -> Iterator[str]:
            number = 0
            while True:
                taken.append(number)
                yield f"ok:{number}"
                number += 1

        trace = tmp_path / "trace"
        make = partial(faulty, trace)
        with WorkerPool(make, workers=1, seconds=5) as pool:
            results = pool.map(endless())
            assert [next(results) for _ in range(3)] == ["OK:0", "OK:1", "OK:2"]
            assert len(taken) < 300
        pid = int(trace.read_text().split()[-1])
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)

    def test_errors_are_raised_here(self, tmp_path: Path) -> None:
        make = partial(faulty, tmp_path / "trace")
        with refuses("file-missing"):
            results_of(make, ["ok:1", "fail:2"])
        with refuses("file-missing"):
            results_of(raising, ["ok:1"])
        with refuses("worker-not-started"):
            results_of(dying, ["ok:1"])

    def test_nothing_is_nothing(self) -> None:
        assert results_of(raising, [], workers=0) == []

    def test_workers_are_kept_between_two_lists(self, tmp_path: Path) -> None:
        trace = tmp_path / "trace"
        with WorkerPool(partial(faulty, trace), workers=1, seconds=5) as pool:
            assert list(pool.map(["ok:1", "ok:2"])) == ["OK:1", "OK:2"]
            assert list(pool.map(["ok:3"])) == ["OK:3"]
        assert len({line.split()[1] for line in trace.read_text().splitlines()}) == 1
