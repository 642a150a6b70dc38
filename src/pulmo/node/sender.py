"""Sends what waits in the outbox for one peer, again and again until the peer has it."""

import random
import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Final, NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.daemon.json_log import log
from pulmo.node.outbox import Queued, due, mark_sent, postpone
from pulmo.node.peers import Peer
from pulmo.node.send import PeerAwayError, Send, connected
from pulmo.node.store import Store
from pulmo.node.way import Way

_BATCH: Final = 20
"""Objects that are sent over one connection."""
_LOOK: Final = 0.5
"""Seconds after which the outbox is looked at."""
_RECORDS: Final = 60
"""How often recording what was acknowledged is tried."""
_PAUSE: Final = 1.0
"""Seconds between these."""


class Delays(NamedTuple):
    """How long a failed sending waits: twice as long each time, up to a limit.

    Attributes:
        first: seconds.
        longest: seconds.
    """

    first: float
    longest: float

    def after(self, tries: int) -> float:
        """Returns the seconds after so many failures, 1 or more, with a jitter of half of them."""
        # Beyond 2**60 no delay is shorter than the longest.
        delay: float = min(self.longest, self.first * 2.0 ** min(tries - 1, 60))
        return delay * random.uniform(0.5, 1.5)  # noqa: S311 - nothing is kept secret


class Sender:
    """A thread that sends to one peer.

    Attributes:
        peer: who gets what waits.
    """

    def __init__(self, store: Store, peer: Peer, way: Way, delays: Delays) -> None:
        self._store, self.peer, self._way, self._delays = store, peer, way, delays
        self._stopping = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Starts to send."""
        self._thread.start()

    def stop(self) -> None:
        """Ends what is being sent, and sends nothing more."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        away = 0
        while not self._stopping.is_set():
            batch: list[Queued] = []
            try:
                batch = due(self._store, str(self.peer), time.time(), _BATCH)
                if batch:
                    self._send(batch)
                away = 0
                pause = 0.0 if len(batch) == _BATCH else _LOOK
            except Exception as error:  # noqa: BLE001 - what was not sent is sent later
                away += 1
                pause = self._delays.after(away)
                self._failed(batch, error, pause)
            self._stopping.wait(pause)

    def _send(self, batch: Sequence[Queued]) -> None:
        there = [each for each in batch if self._is_there(each)]
        if not there:
            return
        files = [self._store.objects.path(each.sha256) for each in there]
        with connected(self.peer, self._way, files) as send:
            for each in there:
                if self._stopping.is_set():
                    return
                self._send_one(send, each)

    def _is_there(self, queued: Queued) -> bool:
        """Tells whether an object has its file; one without keeps no other back."""
        if self._store.objects.path(queued.sha256).exists():
            return True
        error = PulmoError("object-missing", "The file of an object was removed from the outbox.")
        self._put_off(queued, error)
        return False

    def _send_one(self, send: Send, queued: Queued) -> None:
        try:
            send(self._store.objects.path(queued.sha256))
        except PeerAwayError:
            raise
        except PulmoError as error:
            # Others may be taken.
            self._put_off(queued, error)
            return
        self._record(queued)
        self._log("sent", "info", queued)

    def _put_off(self, queued: Queued, error: PulmoError) -> None:
        delay = self._delays.after(queued.tries + 1)
        postpone(self._store, [queued], error, time.time() + delay)
        self._log("not-sent", "warning", queued, code=error.code, message=str(error))

    def _record(self, queued: Queued) -> None:
        """Writes that an object was acknowledged; what is not written is sent again."""
        for _ in range(_RECORDS):
            try:
                mark_sent(self._store, queued)
            except PulmoError as error:
                self._log("not-recorded", "error", queued, code=error.code, message=str(error))
                if self._stopping.wait(_PAUSE):
                    return
            else:
                return

    def _failed(self, batch: Sequence[Queued], error: Exception, pause: float) -> None:
        if not isinstance(error, PulmoError):
            error = PulmoError("internal-error", f"An error in pulmo: {type(error).__name__}.")
        log(
            "peer-away",
            "warning",
            peer=str(self.peer),
            code=error.code,
            message=str(error),
            again_in=round(pause, 1),
        )
        try:
            postpone(self._store, batch, error, None)
        except PulmoError as other:
            log("not-recorded", "error", code=other.code, message=str(other))

    def _log(self, event: str, level: str, queued: Queued, **more: object) -> None:
        log(event, level, instance=queued.instance, peer=queued.peer, **more)
