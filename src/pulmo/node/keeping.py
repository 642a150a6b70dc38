"""How long files are kept; the rows and the log stay."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pulmo.node.store import Store

# What still waits, or has an object that waits, is kept whatever its age.
_OLD: Final = (
    "SELECT number, sha256 FROM inbox WHERE kept AND state <> 'received' AND judged < ? "
    "AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.inbox = inbox.number AND state = 'queued')"
)


def remove_old(store: Store, days: int) -> int:
    """Removes the files of images that were judged so many days ago, and of their objects.

    Returns:
        How many images there were.

    Raises:
        PulmoError: the database cannot be used.
    """
    moment = datetime.now(UTC) - timedelta(days=days)
    before = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    old = store.database.rows(_OLD, (before,))
    for number, digest in old:
        objects = store.database.rows("SELECT sha256 FROM outbox WHERE inbox = ?", (number,))
        # A file without a row that names it is removed at the next start; the other way round
        # a row would name a file that is gone.
        with store.database.transaction() as connection:
            connection.execute("UPDATE inbox SET kept = 0 WHERE number = ?", (number,))
            connection.execute("UPDATE outbox SET kept = 0 WHERE inbox = ?", (number,))
        store.received.remove(digest)
        for (made,) in objects:
            query = "SELECT 1 FROM outbox WHERE sha256 = ? AND kept LIMIT 1"
            if not store.database.rows(query, (made,)):
                store.objects.remove(made)
    return len(old)
