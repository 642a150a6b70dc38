"""The tables of a screening: one for each part of its list, and all of them as one."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.core.files import replacing, write_atomically
from pulmo.core.folders import ScreeningFolder
from pulmo.workflows.prediction_output import csv_cells
from pulmo.workflows.screen_file import Row

_GROUP_ROWS: Final = 50_000
"""Rows of a row group: what a reader of the results holds at once."""

_TYPES: Final = {
    "notes": pa.list_(pa.string()),
    "note_kinds": pa.list_(pa.string()),
    "positive_classes": pa.list_(pa.string()),
    "prediction_set": pa.list_(pa.string()),
    "positive_probability": pa.float64(),
    "threshold": pa.float64(),
    "positive": pa.bool_(),
}
"""Types of columns that hold no text."""


class Counts:
    """How many files have which status, code, decision and kinds of notes."""

    def __init__(self) -> None:
        self.status: Counter[str] = Counter()
        self.codes: Counter[str] = Counter()
        self.decisions: Counter[str] = Counter()
        self.note_kinds: Counter[str] = Counter()
        self.positive = 0

    def add(self, row: Row) -> None:
        """Counts a row."""
        self.status[row["status"]] += 1
        self.codes.update([row["code"]] if row["code"] else [])
        self.decisions.update([row["decision"]] if row["decision"] else [])
        self.note_kinds.update(set(row["note_kinds"]))
        self.positive += row["positive"] is True


def schema_of(columns: Sequence[str], card: Card) -> pa.Schema:
    """Returns the schema of the results of a model."""
    kinds = _TYPES | {f"p_{label}": pa.float64() for label in card.labels.order}
    fields = [(name, kinds.get(name, pa.string())) for name in columns]
    return pa.schema(fields, metadata={"pulmo.notice": card.notice})


def write_part(path: Path, rows: Sequence[Row], schema: pa.Schema) -> None:
    """Writes the rows of a part of the list.

    Raises:
        InputError: the file cannot be written.
    """
    buffer = io.BytesIO()
    table = pa.Table.from_pylist([_encodable(row) for row in rows], schema)
    pq.write_table(table, buffer)
    write_atomically(path, buffer.getvalue())


def join_parts(
    folder: ScreeningFolder, parts: int, schema: pa.Schema, also: Sequence[Path]
) -> Counts:
    """Writes all rows as one table, and as the files that are also asked for; returns the counts.

    Args:
        folder: the folder with the parts.
        parts: how many there are.
        schema: of the rows.
        also: files to write too, `.csv` or `.jsonl`.

    Raises:
        InputError: a part is missing or damaged, or a file cannot be written.
    """
    counts = Counts()
    with ExitStack() as stack:
        file = stack.enter_context(replacing(folder.results))
        writers = [stack.enter_context(_writer(path, schema.names)) for path in also]
        with pq.ParquetWriter(file, schema, compression="zstd") as joined:
            waiting: list[pa.Table] = []
            for number in range(parts):
                table = _read(folder.part(number))
                for row in table.to_pylist():
                    counts.add(row)
                    for write in writers:
                        write(row)
                waiting.append(table)
                if sum(map(len, waiting)) >= _GROUP_ROWS or number == parts - 1:
                    joined.write_table(pa.concat_tables(waiting), _GROUP_ROWS)
                    waiting.clear()
    return counts


def _read(path: Path) -> pa.Table:
    try:
        return pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            "parquet-invalid", f"{path} is not a Parquet table: {str(error).rstrip('.')}."
        ) from error


@contextmanager
def _writer(path: Path, columns: Sequence[str]) -> Iterator[Callable[[Row], None]]:
    """Gives what writes a row to a file that is there when it is whole."""
    with replacing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", newline="")
        yield _csv(text, columns) if path.suffix == ".csv" else _jsonl(text)
        text.flush()
        text.detach()


def _csv(text: io.TextIOWrapper, columns: Sequence[str]) -> Callable[[Row], None]:
    table = csv.DictWriter(text, columns, lineterminator="\n")
    table.writeheader()
    return lambda row: table.writerow(csv_cells(row))


def _jsonl(text: io.TextIOWrapper) -> Callable[[Row], None]:
    def write(row: Row) -> None:
        text.write(f"{json.dumps(row)}\n")

    return write


def _encodable(row: Row) -> Row:
    """Returns a row whose texts are characters: bytes of names that are none become escapes."""
    return row | {
        name: row[name].encode("utf-8", "backslashreplace").decode()
        for name in ("file", "reason")
        if row[name] is not None
    }
