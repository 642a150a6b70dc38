"""The log of what a program answered, to which lines can only be added."""

import csv
import json
import sqlite3
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple, TextIO

from pulmo.daemon.database import Database, now

LOCAL: Final = "local"
"""Who calls without a token."""

# A replacement of a row fires no trigger of deletion, so it is refused as an insertion.
LOG_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS log (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    action TEXT NOT NULL,
    request_id TEXT,
    prediction_id TEXT,
    model_sha256 TEXT,
    input_sha256 TEXT,
    answer TEXT
);
CREATE TRIGGER IF NOT EXISTS log_changed BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_deleted BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER IF NOT EXISTS log_replaced BEFORE INSERT ON log
WHEN EXISTS (SELECT 1 FROM log WHERE number = NEW.number)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
"""
"""Makes the table of the log."""
_COLUMNS: Final = (
    "at",
    "who",
    "action",
    "request_id",
    "prediction_id",
    "model_sha256",
    "input_sha256",
    "answer",
)
_ANSWERED: Final = (
    "status",
    "code",
    "decision",
    "positive_probability",
    "threshold",
    "positive",
    "band",
    "prediction_set",
    "probabilities",
    "note_kinds",
)
"""Keys of an answer that the log has."""


class Entry(NamedTuple):
    """A line of the log but for its time.

    Attributes:
        who: the name of the token, or `local`.
        action: such as `predict` or `delete`.
        request_id: of the request; None of a command.
        prediction_id: of the result.
        model_sha256: of the model.
        input_sha256: of the image's bytes.
        answer: what was answered.
    """

    who: str
    action: str
    request_id: str | None = None
    prediction_id: str | None = None
    model_sha256: str | None = None
    input_sha256: str | None = None
    answer: str | None = None

    @classmethod
    def of(cls, who: str, action: str, request_id: str, answer: Mapping[str, Any]) -> "Entry":
        """Returns the line on an answer."""
        said = {key: answer[key] for key in _ANSWERED}
        return cls(
            who,
            action,
            request_id,
            answer["id"],
            answer["model"]["sha256"],
            answer["sha256"],
            json.dumps(said),
        )


def append(connection: sqlite3.Connection, entry: Entry) -> None:
    """Adds a line, as a part of the transaction that it is about."""
    connection.execute(
        f"INSERT INTO log ({', '.join(_COLUMNS)}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - literals
        (now(), *entry),
    )


def log_rows(database: Database) -> Iterator[dict[str, Any]]:
    """Yields the lines, the oldest first; `answer` is an object, or None."""
    for row in database.each("log", ", ".join(_COLUMNS)):
        line = dict(zip(_COLUMNS, row, strict=True))
        yield line | {"answer": line["answer"] and json.loads(line["answer"])}


def export_log(database: Database, form: Literal["csv", "json"], stream: TextIO) -> None:
    """Writes the log, the oldest line first.

    Args:
        database: of the program.
        form: `csv`, or `json`: one list.
        stream: where it is written to.
    """
    if form == "csv":
        table = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
        table.writeheader()
        for line in log_rows(database):
            answer = line["answer"]
            table.writerow(line | {"answer": answer and json.dumps(answer)})
        return
    between = "[\n"
    for line in log_rows(database):
        stream.write(f"{between}  {json.dumps(line)}")
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")
