"""Reading in processes. They are started for real, and few, because each takes a while."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import closing
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets import workers
from pulmo.datasets.reading import Known, Outcome, Task, read_file
from pulmo.datasets.workers import read_files

started: list["subprocess.Popen[bytes]"] = []


class Watched(subprocess.Popen):  # type: ignore[type-arg]
    """A process that the test can look at."""

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[call-overload]
        started.append(self)


@pytest.fixture(autouse=True)
def _processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Processes for however few files; none of them is left."""
    monkeypatch.setattr(workers, "PROCESSES_FROM", 1)
    monkeypatch.setattr(workers, "_CHUNK", 4)
    monkeypatch.setattr(workers, "cores", lambda: 2)
    monkeypatch.setattr("pulmo.core.parallel.cores", lambda: 2)
    monkeypatch.setattr(subprocess, "Popen", Watched)
    started.clear()
    yield
    assert all(process.returncode is not None for process in started)


@pytest.fixture
def tasks(image: Path, tmp_path: Path) -> list[Task]:
    """Eleven files: some good, one empty, one known, one whose name is not UTF-8."""
    images = sorted(image.parent.iterdir())[:8]
    empty, odd = tmp_path / "empty.png", tmp_path / os.fsdecode(b"\xff.png")
    empty.touch()
    odd.write_bytes(image.read_bytes())
    known = read_file(Task(str(image)), decode=True).facts
    assert known
    return [
        *(Task(str(path)) for path in [*images, empty, odd]),
        Task(str(image), Known(known._replace(view="PA"))),
    ]


@pytest.mark.parametrize("decode", [True, False])
def test_processes_find_what_threads_find(tasks: list[Task], decode: bool) -> None:  # noqa: FBT001 - pytest's
    expected = [read_file(task, decode=decode) for task in tasks]
    assert expected[8] == Outcome(None, "it is empty")
    assert expected[10].kept
    with closing(read_files(iter(tasks), len(tasks), decode=decode)) as outcomes:
        assert list(outcomes) == expected
    assert len(started) == 2
    assert [process.returncode for process in started] == [0, 0]


def test_few_files_are_read_in_threads(tasks: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PROCESSES_FROM", 12)
    assert len(list(read_files(tasks, len(tasks), decode=False))) == 11
    assert not started


def test_nothing_is_left_when_the_user_ends(tasks: list[Task]) -> None:
    with closing(read_files(tasks * 100, 1100, decode=True)) as outcomes:
        assert next(outcomes).facts
    assert {process.returncode for process in started} == {-signal.SIGKILL}


def test_no_process_begins_after_the_end(tasks: list[Task]) -> None:
    pool = workers._Pool(decode=True)
    pool.kill()
    with pytest.raises(CancelledError):
        pool.read(tasks[:1])
    assert not started


def replaced(monkeypatch: pytest.MonkeyPatch, start: str) -> None:
    """Has processes run other code before the reading begins."""
    whole = Watched

    def popen(words: list[str], **options: object) -> object:
        return whole([*words[:-1], f"{start}; {words[-1]}"], **options)

    monkeypatch.setattr(subprocess, "Popen", popen)


def test_a_file_on_which_the_decoder_crashes_is_named(
    tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = (
        "import os, sys; sys.path[:] = " + repr(sys.path) + "; "
        "from pulmo.datasets import workers as w; whole = w.read_file; "
        "w.read_file = lambda task, decode: os.abort() if task.path.endswith('empty.png') "
        "else whole(task, decode=decode)"
    )
    replaced(monkeypatch, crash)
    expected = [read_file(task, decode=False) for task in tasks]
    expected[8] = Outcome(None, "the decoder crashed on it (SIGABRT); it is damaged")
    assert list(read_files(tasks, len(tasks), decode=False)) == expected
    assert [process.returncode for process in started].count(-signal.SIGABRT) == 2


def test_what_a_decoder_prints_is_no_answer(
    tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = (
        "import sys; sys.path[:] = " + repr(sys.path) + "; "
        "from pulmo.datasets import workers as w; whole = w.read_file; "
        "w.read_file = lambda task, decode: print('noise', flush=True) or "
        "whole(task, decode=decode)"
    )
    replaced(monkeypatch, noise)
    expected = [read_file(task, decode=False) for task in tasks]
    assert list(read_files(tasks, len(tasks), decode=False)) == expected


def test_processes_that_cannot_start_are_an_error(
    tasks: list[Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    replaced(monkeypatch, "import sys; sys.exit(3)")
    with refuses("worker-not-started", "exit status 3"):
        list(read_files(tasks, len(tasks), decode=False))


def test_a_library_user_needs_no_guard_and_no_clean_folder(image: Path, tmp_path: Path) -> None:
    """A script without `if __name__ == "__main__"`, next to a module that hides the library's."""
    (tmp_path / "csv.py").write_text("raise RuntimeError")
    script = tmp_path / "script.py"
    script.write_text(
        "import sys; sys.path.pop(0)\n"
        "from pulmo.datasets import workers\n"
        "from pulmo.datasets.reading import Task\n"
        "workers.PROCESSES_FROM = 1\n"
        "workers.cores = lambda: 2\n"
        f"print([bool(o.facts) for o in workers.read_files([Task({str(image)!r})] * 2, 2, "
        "decode=True)])\n"
    )
    done = subprocess.run(
        [sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == ("[True, True]\n", "")
