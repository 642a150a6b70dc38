"""The outbox: objects that wait until each peer has acknowledged them."""

from collections.abc import Sequence
from typing import NamedTuple

from pulmo.core.errors import PulmoError
from pulmo.daemon.audit_log import Entry, append
from pulmo.daemon.database import now
from pulmo.node.store import Store


class Queued(NamedTuple):
    """An object that waits.

    Attributes:
        number: of its row.
        instance: what stands for its SOP Instance UID.
        sha256: of its file.
        peer: who gets it.
        tries: how often sending it has failed.
    """

    number: int
    instance: str
    sha256: str
    peer: str
    tries: int


def due(store: Store, peer: str, moment: float, most: int) -> list[Queued]:
    """Returns the objects for a peer whose time has come, the oldest first.

    Args:
        store: of the node.
        peer: who gets them.
        moment: seconds since 1970.
        most: how many.
    """
    rows = store.database.rows(
        "SELECT number, instance, sha256, peer, tries FROM outbox "
        "WHERE state = 'queued' AND peer = ? AND due <= ? ORDER BY number LIMIT ?",
        (peer, moment, most),
    )
    return [Queued(*row) for row in rows]


def mark_sent(store: Store, queued: Queued) -> None:
    """Writes that a peer has acknowledged an object, which is never sent again.

    Raises:
        PulmoError: it cannot be written.
    """
    with store.database.transaction() as connection:
        connection.execute(
            "UPDATE outbox SET state = 'sent', sent = ?, code = NULL, error = NULL "
            "WHERE number = ?",
            (now(), queued.number),
        )
        append(connection, Entry(queued.peer, "send", None, queued.instance, None, queued.sha256))


def postpone(
    store: Store, queued: Sequence[Queued], error: PulmoError, moment: float | None
) -> None:
    """Writes why objects were not sent, and when they are tried again.

    Args:
        store: of the node.
        queued: the objects.
        error: why.
        moment: when, in seconds since 1970; None leaves the time, since the peer itself is away.
    """
    with store.database.transaction() as connection:
        connection.executemany(
            "UPDATE outbox SET tries = tries + 1, failed = ?, code = ?, error = ?, "
            "due = coalesce(?, due) WHERE number = ?",
            [(now(), error.code, str(error), moment, each.number) for each in queued],
        )
