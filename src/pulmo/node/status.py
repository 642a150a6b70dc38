"""What waits in a node, and what went wrong last."""

from typing import Any, Final, NamedTuple

from pulmo.node.store import Store

_LAST: Final = 5


class PeerStatus(NamedTuple):
    """The outbox of one peer.

    Attributes:
        peer: who gets the objects.
        queued: objects that wait.
        sent: objects that it has acknowledged.
        oldest: since when the oldest one waits; None where none does.
        error: why sending failed last, as a sentence; None where all was sent.
        failed: when.
    """

    peer: str
    queued: int
    sent: int
    oldest: str | None
    error: str | None
    failed: str | None


class LastError(NamedTuple):
    """An image without a result.

    Attributes:
        judged: when.
        instance: what stands for its SOP Instance UID.
        state: refused or failed.
        code: why, as a code.
        reason: why, as a sentence.
    """

    judged: str
    instance: str
    state: str
    code: str
    reason: str


class Status(NamedTuple):
    """What a node has.

    Attributes:
        inbox: state -> images.
        peers: the outbox of each peer.
        errors: the last images without a result, the newest first.
    """

    inbox: dict[str, int]
    peers: list[PeerStatus]
    errors: list[LastError]

    def as_dict(self) -> dict[str, Any]:
        """Returns the JSON object."""
        return {
            "inbox": self.inbox,
            "peers": [each._asdict() for each in self.peers],
            "errors": [each._asdict() for each in self.errors],
        }

    def lines(self) -> list[str]:
        """Returns what people read."""
        said = [f"inbox: {', '.join(f'{count:,} {name}' for name, count in self.inbox.items())}"]
        for each in self.peers:
            since = f", the oldest since {each.oldest}" if each.oldest else ""
            said.append(f"{each.peer}: {each.sent:,} sent, {each.queued:,} wait{since}")
            said += [f"  {each.failed}  {each.error}"] if each.error else []
        said += ["last images without a result:"] if self.errors else []
        said += [
            f"  {each.judged}  {each.instance}  {each.state}: {each.code}: {each.reason}"
            for each in self.errors
        ]
        return said


def status_of(store: Store) -> Status:
    """Returns what a node has, which may be running.

    Raises:
        PulmoError: the database cannot be read.
    """
    rows = store.database.rows
    counts = dict.fromkeys(("received", "done", "refused", "failed"), 0)
    counts |= dict(rows("SELECT state, count(*) FROM inbox GROUP BY state"))
    peers = rows(
        "SELECT peer, sum(state = 'queued'), sum(state = 'sent'), "
        "min(CASE state WHEN 'queued' THEN queued END) FROM outbox GROUP BY peer ORDER BY peer"
    )
    newest = (
        "SELECT error, failed FROM outbox WHERE peer = ? AND state = 'queued' "
        "AND error IS NOT NULL ORDER BY failed DESC LIMIT 1"
    )
    errors = rows(
        "SELECT judged, instance, state, code, reason FROM inbox "
        "WHERE state IN ('refused', 'failed') ORDER BY judged DESC, number DESC LIMIT ?",
        (_LAST,),
    )
    return Status(
        counts,
        [PeerStatus(*row, *(rows(newest, row[:1]) or [(None, None)])[0]) for row in peers],
        [LastError(*row) for row in errors],
    )
