"""Processes that read files: small images need Python's lock too much for threads.

A process is asked and answers in lines of JSON and ends when its standard input does, so it cannot
outlive its parent by more than the files it was asked for. It is not started by `multiprocessing`,
which would run the script of a library's user once more. A decoder that crashes on a damaged file
ends a process that can be replaced, and the file is named.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import closing, suppress
from functools import partial
from itertools import islice
from threading import Lock
from typing import IO, Final, cast

from pulmo.core.errors import PulmoError
from pulmo.core.parallel import cores, in_threads
from pulmo.datasets.reading import FileFacts, Known, Outcome, Task, read_file

PROCESSES_FROM: Final = 8000
"""Files from which on processes are faster than threads, which begin at once, on two cores."""

_CHUNK: Final = 16
_READY: Final = b"ready\n"


def read_files(
    tasks: Iterable[Task], count: int, *, decode: bool
) -> Generator[Outcome, None, None]:
    """Yields what becomes of each file, in order, read on all cores.

    A bounded number of files is begun beyond the one whose outcome is awaited. Close the generator
    (`contextlib.closing`) so that an interruption ends what is being read.

    Args:
        tasks: the files.
        count: how many there are.
        decode: as for `pulmo.datasets.reading.read_file`.

    Raises:
        PulmoError: a process could not be started.
    """
    if count < PROCESSES_FROM or cores() == 1 or not sys.executable:
        yield from in_threads(partial(read_file, decode=decode), tasks)
        return
    pool = _Pool(decode=decode)
    try:
        with closing(in_threads(pool.read, _chunks(tasks), abandon=pool.kill)) as answers:
            for outcomes in answers:
                yield from outcomes
    finally:
        pool.end()


def _chunks(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    rest = iter(tasks)
    while chunk := list(islice(rest, _CHUNK)):
        yield chunk


class _Worker:
    """A process that reads files, and its pipes; one thread at a time may ask it."""

    def __init__(self) -> None:
        # The parent's own path: a data set's folder, in which the command may run, may hold a
        # csv.py or an inspect.py.
        code = f"import sys; sys.path[:] = {sys.path!r}; from {__name__} import main; main()"
        self._process = subprocess.Popen(  # noqa: S603 - this Python, this module, no shell
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            # Ctrl-C is the parent's to handle.
            process_group=0,
        )
        self._questions = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._is_ready = False

    def ask(self, question: bytes) -> bytes:
        """Returns the answer to a line; nothing if the process has ended.

        Raises:
            PulmoError: it has ended before it was ready.
        """
        if not self._is_ready and self._answers.readline() != _READY:
            raise PulmoError(
                "worker-not-started", f"A process that reads images could not start: {self.end()}."
            )
        self._is_ready = True
        with suppress(BrokenPipeError):
            self._questions.write(question)
            self._questions.flush()
        answer = self._answers.readline()
        return answer if answer.endswith(b"\n") else b""

    def kill(self) -> None:
        """Makes the process end at once."""
        self._process.kill()

    def end(self) -> str:
        """Lets the process end, to which nothing more will be said, and returns how it did."""
        with suppress(BrokenPipeError):
            self._questions.close()
        self._answers.close()
        status = self._process.wait()
        return signal.Signals(-status).name if status < 0 else f"exit status {status}"


class _Pool:
    """As many processes as threads ask at once."""

    def __init__(self, *, decode: bool) -> None:
        self._decode = decode
        self._lock = Lock()
        self._idle: list[_Worker] = []
        self._all: list[_Worker] = []
        self._killed = False

    def read(self, tasks: Sequence[Task]) -> list[Outcome]:
        """Has files read. Of some on which a process ends, each is then read by itself."""
        worker = self._take()
        answer = worker.ask(json.dumps([self._decode, tasks]).encode() + b"\n")
        if answer:
            self._idle.append(worker)
            return [
                Outcome(FileFacts(*facts) if facts else None, reason, kept)
                for facts, reason, kept in json.loads(answer)
            ]
        end = worker.end()
        if len(tasks) == 1:
            return [Outcome(None, f"the decoder crashed on it ({end}); it is damaged")]
        return [outcome for task in tasks for outcome in self.read([task])]

    def kill(self) -> None:
        """Makes all processes end at once, and lets no other begin."""
        with self._lock:
            self._killed = True
            for worker in self._all:
                worker.kill()

    def end(self) -> None:
        """Waits for the processes, which end since nothing more will be asked."""
        for worker in self._all:
            worker.end()

    def _take(self) -> _Worker:
        with self._lock:
            if self._killed:
                raise CancelledError
            if self._idle:
                return self._idle.pop()
            self._all.append(_Worker())
            return self._all[-1]


def _task(path: str, known: tuple[list[object], bool] | None) -> Task:
    if known is None:
        return Task(path)
    facts, has_tags = known
    return Task(path, Known(FileFacts(*facts), has_tags))  # type: ignore[arg-type]


def main() -> None:
    """Answers each line of standard input, until its end."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What a decoder prints is no answer.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    answers.write(_READY)
    answers.flush()
    for question in sys.stdin.buffer:
        decode, tasks = json.loads(question)
        outcomes = [read_file(_task(*fields), decode=decode) for fields in tasks]
        # The one who asked may have ended.
        with suppress(BrokenPipeError):
            answers.write(json.dumps(outcomes).encode() + b"\n")
            answers.flush()
