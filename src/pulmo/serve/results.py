"""The results of a server, in its database."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from pulmo.daemon.audit_log import Entry, append
from pulmo.daemon.database import Database

_COLUMNS: Final = (
    "id",
    "created",
    "status",
    "reason",
    "code",
    "sha256",
    "notes",
    "note_kinds",
    "decision",
    "positive_classes",
    "positive_probability",
    "threshold",
    "positive",
    "band",
    "prediction_set",
)
_FACTS: Final = ("format", "height", "width", "view", "modality")
_MODEL: Final = ("model_name", "model_version", "model_sha256", "model_weights_sha256")
_LISTS: Final = {"notes": " ", "note_kinds": ";", "positive_classes": ";", "prediction_set": ";"}


def add(database: Database, answers: Sequence[Mapping[str, Any]], entries: Sequence[Entry]) -> None:
    """Keeps results and their lines of the log, all or none.

    Args:
        database: of the server.
        answers: the results.
        entries: the line of each one, which says whose it is.

    Raises:
        PulmoError: they cannot be written.
    """
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO predictions (id, status, answer, who) VALUES (?, ?, ?, ?)",
            [
                (answer["id"], answer["status"], json.dumps(answer), entry.who)
                for answer, entry in zip(answers, entries, strict=True)
            ],
        )
        for entry in entries:
            append(connection, entry)


def find(database: Database, key: str, who: str | None) -> dict[str, Any] | None:
    """Returns the result with an id; None if there is none of that holder, or of any by None."""
    query = "SELECT answer FROM predictions WHERE id = ?1 AND (?2 IS NULL OR who = ?2)"
    rows = database.rows(query, (key, who))
    return _answer(rows[0][0]) if rows else None


def delete(database: Database, key: str, entry: Entry) -> bool:
    """Deletes a result and writes so into the log; returns whether there was one."""
    with database.transaction() as connection:
        done = connection.execute("DELETE FROM predictions WHERE id = ?", (key,))
        if done.rowcount:
            append(connection, entry)
        return bool(done.rowcount)


def page(
    database: Database, limit: int, before: int | None, status: str | None, who: str | None
) -> tuple[list[dict[str, Any]], int | None]:
    """Returns the newest results, and the cursor of the next page; None on the last one.

    Args:
        database: of the server.
        limit: how many.
        before: the cursor; None begins at the newest.
        status: that they have; None for any.
        who: whose they are; None for all.
    """
    rows = database.rows(
        "SELECT number, answer FROM predictions WHERE (?1 IS NULL OR number < ?1) "
        "AND (?2 IS NULL OR status = ?2) AND (?3 IS NULL OR who = ?3) ORDER BY number DESC "
        "LIMIT ?4",
        (before, status, who, limit + 1),
    )
    shown = rows[:limit]
    return [_answer(text) for _, text in shown], shown[-1][0] if len(rows) > limit else None


def as_json(database: Database, who: str | None) -> Iterator[str]:
    """Yields the results of a holder, or all, as one JSON list, the oldest first."""
    between = "[\n"
    for (text,) in database.each("predictions", "answer", who):
        yield between + text
        between = ",\n"
    yield "[]\n" if between == "[\n" else "\n]\n"


def as_csv(database: Database, who: str | None) -> Iterator[str]:
    """Yields the results of a holder, or all, as the lines of a CSV table, the oldest first.

    Every class of a result has a column `p_CLASS`.
    """
    labels = [f"p_{label}" for label in _labels(database, who)]
    columns = [*_COLUMNS, *_FACTS, *_MODEL, *labels]
    text = io.StringIO()
    table = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    table.writeheader()
    for (answer,) in database.each("predictions", "answer", who):
        table.writerow(_row(_answer(answer)))
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _labels(database: Database, who: str | None) -> list[str]:
    """Returns the classes of these results, in the order in which they occurred."""
    found: dict[str, None] = {}
    for (text,) in database.each("predictions", "answer", who):
        found |= dict.fromkeys(_answer(text)["probabilities"] or ())
    return list(found)


def _answer(text: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(text)
    return answer


def _row(answer: dict[str, Any]) -> dict[str, Any]:
    """Returns an answer without nested objects; an empty cell is a null."""
    row = answer | {key: between.join(answer[key] or ()) for key, between in _LISTS.items()}
    if answer["positive"] is not None:
        row["positive"] = str(answer["positive"]).lower()
    nested = (("", "facts"), ("model_", "model"), ("p_", "probabilities"))
    for prefix, name in nested:
        row |= {f"{prefix}{key}": value for key, value in (answer[name] or {}).items()}
    return row
