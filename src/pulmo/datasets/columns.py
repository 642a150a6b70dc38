"""Many rows in little memory: Arrow columns that grow by chunks."""

from collections.abc import Callable
from typing import Any, Final

import pandas as pd
import pyarrow as pa

TEXT: Final = pa.large_string()
"""The type that pandas holds text in; it takes such columns over without a copy."""

_KINDS: Final = {
    TEXT: pd.StringDtype("pyarrow", na_value=pd.NA),
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
}


class Columns:
    """Rows that come one by one and are kept as columns.

    Args:
        schema: the names and types of a row's values, in their order.
        size: rows of a chunk; so many are held as Python's objects.
        on_chunk: called with each chunk when it is full, and with the last one.
    """

    def __init__(
        self,
        schema: pa.Schema,
        size: int = 4096,
        on_chunk: Callable[[pa.RecordBatch], None] | None = None,
    ) -> None:
        self._schema = schema
        self._size = size
        self._on_chunk = on_chunk
        self._rows: list[tuple[Any, ...]] = []
        self._chunks: list[pa.RecordBatch] = []
        self._full = 0

    def __len__(self) -> int:
        return self._full + len(self._rows)

    def append(self, row: tuple[Any, ...]) -> None:
        """Adds a row."""
        self._rows.append(row)
        if len(self._rows) == self._size:
            self._close_chunk()

    def table(self) -> pa.Table:
        """Returns all rows so far."""
        self._close_chunk()
        return pa.Table.from_batches(self._chunks, self._schema)

    def _close_chunk(self) -> None:
        if not self._rows:
            return
        columns = zip(*self._rows, strict=True)
        arrays = [
            pa.array(values, kind) for values, kind in zip(columns, self._schema.types, strict=True)
        ]
        chunk = pa.RecordBatch.from_arrays(arrays, schema=self._schema)
        self._full += len(self._rows)
        self._rows = []
        self._chunks.append(chunk)
        if self._on_chunk:
            self._on_chunk(chunk)


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Returns a table's columns as pandas holds those of a manifest, text without a copy."""
    frame: pd.DataFrame = table.to_pandas(types_mapper=_KINDS.get)
    return frame
