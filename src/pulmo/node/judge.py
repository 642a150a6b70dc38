"""Has images of the inbox judged in worker processes, one after the other in each."""

from collections.abc import Sequence
from threading import Condition, Event, Thread
from typing import Final

from pulmo.core.errors import PulmoError
from pulmo.daemon.job_pool import JobPool
from pulmo.daemon.json_log import log
from pulmo.node.inbox import Received, Verdict, is_own, settle, waiting
from pulmo.node.store import Store
from pulmo.node.worker import Job, Judged

_LOOK: Final = 1.0
"""Seconds after which the inbox is looked at, which `pulmo pull` fills too."""
_PAUSE: Final = 5.0
"""Seconds after a fault that is not the image's."""


class Judge:
    """Threads, each of which has one image judged at a time."""

    def __init__(
        self, store: Store, pool: JobPool[Job], model_sha256: str, peers: Sequence[str]
    ) -> None:
        """Prepares threads.

        Args:
            store: of the node.
            pool: the worker processes.
            model_sha256: of the model.
            peers: who gets the results.
        """
        self._store, self._pool, self._model = store, pool, model_sha256
        self._peers, self._changed = peers, Condition()
        self._taken: set[int] = set()
        self._stopping = Event()
        self._threads: list[Thread] = []

    def start(self, threads: int) -> None:
        """Starts to judge."""
        self._threads = [Thread(target=self._run, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def look(self) -> None:
        """Says that there is a new image."""
        with self._changed:
            self._changed.notify()

    def stop(self) -> None:
        """Finishes what was begun, and begins nothing."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            received = None
            try:
                received = self._take()
                if received is None:
                    with self._changed:
                        self._changed.wait(_LOOK)
                    continue
                self._judge(received)
            except Exception as error:  # noqa: BLE001 - the image waits until it can be judged
                code = error.code if isinstance(error, PulmoError) else "internal-error"
                words = str(error) if isinstance(error, PulmoError) else type(error).__name__
                log("judge-fault", "error", code=code, message=words)
                self._stopping.wait(_PAUSE)
            finally:
                if received is not None:
                    with self._changed:
                        self._taken.discard(received.number)

    def _take(self) -> Received | None:
        with self._changed:
            for received in waiting(self._store, tuple(self._taken), 1):
                self._taken.add(received.number)
                return received
        return None

    def _judge(self, received: Received) -> None:
        judged = self._judged(received)
        if isinstance(judged, PulmoError):
            # Too slow, too large, or the end of its process.
            verdict = Verdict("failed", judged.code, str(judged), self._model)
            judged = Judged(verdict, ())
        verdict = judged.verdict
        settle(self._store, received, verdict, judged.objects, self._peers)
        log(
            "judged",
            instance=received.instance,
            who=received.caller,
            status=verdict.state,
            code=verdict.code,
            reason=verdict.reason,
            objects=len(judged.objects),
        )

    def _judged(self, received: Received) -> Judged | PulmoError:
        if is_own(self._store, received.instance):
            reason = "The image is a result of this node, which came back."
            return Judged(Verdict("refused", "own-result", reason, self._model), ())
        job = Job(self._store.received.path(received.sha256), received.sha256)
        found: Judged | PulmoError = self._pool.submit(job).result()
        return found
