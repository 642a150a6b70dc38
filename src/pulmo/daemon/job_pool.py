"""Worker processes that many requests share; a crash or a hang costs one of them."""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack, suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, Generic, TypeVar

from pulmo.core.errors import PulmoError
from pulmo.core.workers import Lost, WorkerPool

Job = TypeVar("Job")
Result = TypeVar("Result")


def result_or_error(work: Callable[[], Result]) -> Result | PulmoError:
    """Does the work of a job, and returns an error that it raises.

    A worker process that raised would have to be replaced. The words of an error that is not one of
    pulmo's may quote the file, so its kind alone is named.
    """
    try:
        return work()
    except PulmoError as error:
        return error
    except MemoryError:
        return PulmoError(
            "image-memory", "The image needs more memory than a worker process may take."
        )
    except Exception as error:  # noqa: BLE001 - whatever the reading of a file may raise
        return PulmoError("internal-error", f"An error in pulmo: {type(error).__name__}.")


class JobPool(Generic[Job]):
    """Worker processes, each with a thread that hands it one job after the other.

    Attributes:
        lost: jobs over which a worker ended and was replaced.
    """

    lost = 0

    def __init__(
        self,
        make: Callable[[], Callable[[Job], Any]],
        ready: Job,
        *,
        workers: int,
        seconds: float,
    ) -> None:
        """Starts the workers.

        Args:
            make: called once in each worker; returns what does a job and does not raise.
            ready: a job that does nothing, which a worker does when it is ready.
            workers: how many processes.
            seconds: that a job may take.
        """
        self._make, self._seconds = make, seconds
        self._lock = Lock()
        self._jobs: SimpleQueue[tuple[Job, Future[Any]] | None] = SimpleQueue()
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(workers)]
        for thread in self._threads:
            thread.start()
        self._first = self.submit(ready)

    @property
    def ready(self) -> bool:
        """Whether a worker has opened the models."""
        return self._first.done() and self._first.exception() is None

    def wait(self) -> None:
        """Waits until a worker has opened the models.

        Raises:
            PulmoError: it cannot.
        """
        self._first.result()

    def submit(self, job: Job) -> "Future[Any]":
        """Has a job done; the result is its value, or a PulmoError that is not raised."""
        future: Future[Any] = Future()
        self._jobs.put((job, future))
        return future

    def close(self) -> None:
        """Ends the workers, each after the jobs that it was given."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        """Hands jobs to a worker process, which opens the models before the first one comes."""
        with ExitStack() as stack:
            pool: WorkerPool[Job, Any] | None = None
            with suppress(OSError):
                pool = stack.enter_context(self._pool())
            while (taken := self._jobs.get()) is not None:
                job, future = taken
                if not future.set_running_or_notify_cancel():
                    continue
                try:
                    pool = pool or stack.enter_context(self._pool())
                    (found,) = pool.map([job])
                except Exception as error:  # noqa: BLE001 - it is raised where it was asked for
                    # A pool that has raised is only good to be closed.
                    stack.close()
                    pool = None
                    future.set_exception(error)
                else:
                    future.set_result(self._told(found))

    def _pool(self) -> WorkerPool[Job, Any]:
        return WorkerPool(self._make, workers=1, seconds=self._seconds)

    def _told(self, found: Any) -> Any:  # noqa: ANN401 - whatever a job gives
        """Returns what came of a job, in place of a lost one the error."""
        if not isinstance(found, Lost):
            return found
        with self._lock:
            self.lost += 1
        if found.why == "slow":
            return PulmoError(
                "image-too-slow", "The work on the image was not done in the time that it may take."
            )
        return PulmoError(
            "image-crashes-reader",
            "The image made the process that read it end. It is probably damaged.",
        )
