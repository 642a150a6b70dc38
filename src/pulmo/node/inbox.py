"""The inbox: images that were received, each judged once."""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from pulmo.daemon.audit_log import Entry, append
from pulmo.daemon.database import now
from pulmo.node.store import Store, instance_of

State = Literal["received", "done", "refused", "failed"]
Arrival = Literal["new", "changed", "known"]
"""`changed`: there was an image with the same SOP Instance UID and other bytes."""


class Received(NamedTuple):
    """An image that waits.

    Attributes:
        number: of its row.
        instance: what stands for its SOP Instance UID.
        sha256: of its bytes.
        caller: the AE title that it is from, or the address that it was pulled from.
    """

    number: int
    instance: str
    sha256: str
    caller: str


class Verdict(NamedTuple):
    """What became of an image.

    Attributes:
        state: done, refused or failed.
        code: why there is no result, as a code.
        reason: the same as a sentence.
        model_sha256: of the model.
        answer: what the log keeps of the result; None without one.
    """

    state: State
    code: str | None
    reason: str | None
    model_sha256: str
    answer: dict[str, Any] | None = None


class MadeObject(NamedTuple):
    """An object to send.

    Attributes:
        instance: what stands for its SOP Instance UID.
        data: the bytes of its file.
    """

    instance: str
    data: bytes


def put(store: Store, uid: str, data: bytes, caller: str) -> Arrival:
    """Keeps an image; it is on the disk when this returns.

    Args:
        store: of the node.
        uid: its SOP Instance UID.
        data: its file.
        caller: who sent it.

    Raises:
        PulmoError: it could not be kept: `disk-full`, `database-locked` or another code.
    """
    instance = instance_of(uid)
    digest = store.received.put(data)
    with store.database.transaction() as connection:
        before = connection.execute(
            "SELECT sha256 FROM inbox WHERE instance = ?", (instance,)
        ).fetchall()
        if (digest,) in before:
            kept = connection.execute(
                "SELECT kept FROM inbox WHERE instance = ? AND sha256 = ?", (instance, digest)
            ).fetchone()[0]
            if not kept:
                store.received.remove(digest)
            return "known"
        connection.execute(
            "INSERT INTO inbox (instance, sha256, caller, received) VALUES (?, ?, ?, ?)",
            (instance, digest, caller, now()),
        )
        action = "receive with other bytes" if before else "receive"
        append(connection, Entry(caller, action, None, instance, None, digest))
    return "changed" if before else "new"


def has(store: Store, uid: str) -> bool:
    """Tells whether an image was received, by its SOP Instance UID."""
    query = "SELECT 1 FROM inbox WHERE instance = ? LIMIT 1"
    return bool(store.database.rows(query, (instance_of(uid),)))


def waiting(store: Store, without: Sequence[int], most: int) -> list[Received]:
    """Returns the images that were not judged, the oldest first.

    Args:
        store: of the node.
        without: the numbers of those that are worked on.
        most: how many.
    """
    rows = store.database.rows(
        "SELECT number, instance, sha256, caller FROM inbox WHERE state = 'received' "
        "ORDER BY number LIMIT ?",
        (most + len(without),),
    )
    found = [Received(*row) for row in rows]
    return [each for each in found if each.number not in without][:most]


def is_own(store: Store, instance: str) -> bool:
    """Tells whether an image is an object that this node made, which came back."""
    query = "SELECT 1 FROM outbox WHERE instance = ? LIMIT 1"
    return bool(store.database.rows(query, (instance,)))


def settle(
    store: Store,
    received: Received,
    verdict: Verdict,
    objects: Sequence[MadeObject],
    peers: Sequence[str],
) -> None:
    """Writes what became of an image and queues its objects for each peer, all or nothing.

    Raises:
        PulmoError: it cannot be written; the image still waits.
    """
    digests = [store.objects.put(each.data) for each in objects] if peers else []
    entry = Entry(
        received.caller,
        "judge",
        None,
        received.instance,
        verdict.model_sha256,
        received.sha256,
        json.dumps(
            verdict.answer
            or {"status": verdict.state, "code": verdict.code, "reason": verdict.reason}
        ),
    )
    with store.database.transaction() as connection:
        done = connection.execute(
            "UPDATE inbox SET state = ?, code = ?, reason = ?, judged = ? "
            "WHERE number = ? AND state = 'received'",
            (verdict.state, verdict.code, verdict.reason, now(), received.number),
        )
        if not done.rowcount:
            return
        for each, digest in zip(objects, digests, strict=False):
            connection.executemany(
                "INSERT INTO outbox (inbox, instance, sha256, peer, queued) VALUES (?, ?, ?, ?, ?)",
                [(received.number, each.instance, digest, peer, now()) for peer in peers],
            )
        append(connection, entry)
