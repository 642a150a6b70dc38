"""Listen: a node of a hospital's network, from the first check to the graceful stop."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Event, Thread
from types import FrameType
from typing import Final

from pulmo.core.errors import InterruptedRunError, PulmoError, RefusedError
from pulmo.core.parallel import cores
from pulmo.daemon.addresses import is_here
from pulmo.daemon.job_pool import JobPool
from pulmo.daemon.json_log import log
from pulmo.node.judge import Judge
from pulmo.node.keeping import remove_old
from pulmo.node.options import ListenOptions
from pulmo.node.peers import Peer, check_title, read_peer, read_web_peer
from pulmo.node.quiet import silence_libraries
from pulmo.node.receive import Receiver
from pulmo.node.sender import Delays, Sender
from pulmo.node.status import status_of
from pulmo.node.store import Store, data_folder
from pulmo.node.way import tls_files, way_of
from pulmo.node.worker import READY, Answer, Job, Setup, judge_worker
from pulmo.workflows.model import load

_GRACE: Final = 30.0
"""Seconds that an open connection has after a signal."""
_HOUR: Final = 3600.0


def listen(
    model: Path,
    options: ListenOptions,
    on_ready: Callable[[str], None] = lambda _: None,
    *,
    answer: Answer | None = None,
) -> None:
    """Receives images, has them judged and sends the results, until a signal ends it.

    Args:
        model: the bundle.
        options: who may send, where results go, and what an image may cost.
        on_ready: called with `TITLE@HOST:PORT` when images are received.
        answer: makes an answer of an image; None for `workflows.dicom_results.answer_dicom`.

    Raises:
        InputError: the model, the data folder, a file of TLS or the address cannot be used.
        RefusedError: any node of the network could send, or another process listens here.
        UsageError: an option is none, or options contradict each other.
        InterruptedRunError: Ctrl-C ended it.
    """
    _check_exposure(options)
    named: list[Peer] = [*map(read_peer, options.send_to), *map(read_web_peer, options.stow)]
    peers = list(dict.fromkeys(named))
    files = tls_files(options)
    server_tls = files.server_context()
    way = way_of(options, peers, tls=options.send_tls)
    silence_libraries()
    with ExitStack() as stack:
        store = stack.enter_context(Store(data_folder(options)))
        stack.enter_context(store.locked())
        store.sweep()
        digest = load(model, 1).predictor.sha256
        stop = stack.enter_context(_stopping())
        pool = _pool(Setup(model, digest, options.memory, answer or _answer()), options)
        stack.callback(pool.close)
        pool.wait()
        judge = Judge(store, pool, digest, [str(peer) for peer in peers])
        receiver = Receiver(store, options, server_tls, judge.look)
        delays = Delays(options.first_delay, options.longest_delay)
        senders = [Sender(store, peer, way, delays) for peer in peers]
        _run(store, options, stop, _Parts(receiver, judge, senders), on_ready)
    if stop.number == signal.SIGINT:
        raise InterruptedRunError("listen-interrupted", "The node was stopped.")


def _answer() -> Answer:
    from pulmo.workflows.dicom_results import answer_dicom  # noqa: PLC0415 - tests give another

    return answer_dicom


def _pool(setup: Setup, options: ListenOptions) -> JobPool[Job]:
    return JobPool(
        partial(judge_worker, setup),
        READY,
        workers=options.workers or cores(),
        seconds=options.timeout,
    )


def _check_exposure(options: ListenOptions) -> None:
    """Refuses to take images from anybody."""
    if not is_here(options.host) and not options.allow:
        raise RefusedError(
            "listen-without-allow-list",
            f"Other machines can reach {options.host}, and no list says which nodes may send.",
        )


class _Parts:
    """What works at once."""

    def __init__(self, receiver: Receiver, judge: Judge, senders: Sequence[Sender]) -> None:
        self.receiver, self.judge, self.senders = receiver, judge, senders

    def start(self, workers: int) -> None:
        """Starts all."""
        self.judge.start(workers)
        for sender in self.senders:
            sender.start()
        Thread(target=self.receiver.serve, daemon=True).start()

    def stop(self) -> None:
        """Ends what was begun: first what comes in, last what goes out."""
        self.receiver.stop(_GRACE)
        self.judge.stop()
        for sender in self.senders:
            sender.stop()


def _run(
    store: Store,
    options: ListenOptions,
    stop: "_Stop",
    parts: _Parts,
    on_ready: Callable[[str], None],
) -> None:
    host, port = parts.receiver.address
    parts.start(options.workers or cores())
    _warn(store, parts)
    shown = f"[{host}]" if ":" in host else host
    address = f"{check_title(options.aet)}@{shown}:{port}"
    log("start", address=address, allowed=list(options.allow), tls=bool(options.tls_certificate))
    on_ready(address)
    while True:
        _remove_old(store, options.keep_days)
        if stop.event.wait(_HOUR):
            break
    log("stopping")
    parts.stop()
    log("stop")


def _warn(store: Store, parts: _Parts) -> None:
    """Says what will not be sent."""
    if not parts.senders:
        log("no-peer", "warning", message="No node gets the results; they are in the log alone.")
    named = {str(sender.peer) for sender in parts.senders}
    for each in status_of(store).peers:
        if each.queued and each.peer not in named:
            message = "Objects wait for a node that is not named any more."
            log("peer-not-named", "warning", peer=each.peer, objects=each.queued, message=message)


def _remove_old(store: Store, days: int) -> None:
    try:
        removed = remove_old(store, days)
    except PulmoError as error:
        log("not-removed", "error", code=error.code, message=str(error))
    else:
        if removed:
            log("removed", images=removed)


class _Stop:
    """Whether a signal came, and which."""

    def __init__(self) -> None:
        self.event = Event()
        self.number: int | None = None

    def take(self, number: int, _frame: FrameType | None) -> None:
        """Takes a signal; the second one ends the process at once."""
        if self.number is not None:
            for child in multiprocessing.active_children():
                child.kill()
            # What was received, and what was acknowledged, is in the database.
            os._exit(128 + number)
        self.number = number
        self.event.set()


@contextmanager
def _stopping() -> Iterator[_Stop]:
    """Gives what signals set."""
    stop = _Stop()
    handled = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, stop.take) for number in handled}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
