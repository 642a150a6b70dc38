import pandas as pd
import pyarrow as pa

from pulmo.datasets.columns import TEXT, Columns, to_frame

SCHEMA = pa.schema([("name", TEXT), ("number", pa.int64()), ("age", pa.float64())])


def test_rows_come_back_in_order_whatever_the_chunks() -> None:
    rows = [(f"image {n}", n if n % 3 else None, n / 2) for n in range(10)]
    chunks: list[pa.RecordBatch] = []
    columns = Columns(SCHEMA, size=4, on_chunk=chunks.append)
    for row in rows:
        columns.append(row)
    assert (len(columns), [len(chunk) for chunk in chunks]) == (10, [4, 4])
    table = columns.table()
    assert (len(columns), [len(chunk) for chunk in chunks]) == (10, [4, 4, 2])
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
    assert columns.table().equals(table)


def test_no_rows_are_an_empty_table() -> None:
    table = Columns(SCHEMA).table()
    assert (len(table), table.schema) == (0, SCHEMA)


def test_a_frame_has_the_types_of_a_manifest() -> None:
    columns = Columns(SCHEMA)
    columns.append(("a", None, 1.5))
    frame = to_frame(columns.table())
    assert [str(kind) for kind in frame.dtypes] == ["string", "Int64", "Float64"]
    assert frame["number"].isna().all()
    assert frame["name"].equals(pd.Series(["a"], name="name", dtype=frame["name"].dtype))
