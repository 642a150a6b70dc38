"""The parsers of foreign files under drawn input: they return, or refuse with an error of pulmo.

An example that fails is drawn smaller until it is plain, and printed.
"""

import contextlib
import csv
import io
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from pulmo.core.errors import PulmoError, UsageError
from pulmo.core.settings import apply_setting
from pulmo.datasets.rows import age_in_years, numbered_rows, read_rows
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import recognise
from pulmo.predictions.reading.table_file import read_table
from pulmo.predictions.reading.values import as_numbers
from pulmo.radiograph import decode_radiograph

# The same examples in each run; what a file system does takes its own time.
DRAWN = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
CELLS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]))
# A process that has trained takes subnormal numbers for 0.
FRACTIONS = st.floats(0, 1, allow_subnormal=False)
NAMES = st.lists(
    st.text(st.sampled_from("abcdefgh"), min_size=1), min_size=2, max_size=4, unique=True
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file that each example writes anew."""
    return tmp_path_factory.mktemp("drawn") / "table.csv"


@DRAWN
@given(
    names=NAMES,
    rows=st.lists(st.lists(CELLS, min_size=4, max_size=4), min_size=1, max_size=4),
    mark=st.sampled_from(",;\t"),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_a_table_is_read_as_it_was_written(
    table: Path, names: list[str], rows: list[list[str]], mark: str, encoding: str
) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=mark)
    cells = [row[: len(names)] for row in rows]
    writer.writerows([names, *cells])
    table.write_bytes(text.getvalue().encode(encoding))
    found = [list(row.values()) for row in read_rows(table, names)]
    stripped = [[cell.strip() for cell in row] for row in cells]
    assert found == [row for row in stripped if any(row)]


@DRAWN
@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_refused(table: Path, data: bytes) -> None:
    table.write_bytes(data)
    with contextlib.suppress(PulmoError):
        for number, row in numbered_rows(table, ["path", "label"]):
            assert number > 1
            assert {"path", "label"} <= set(row)


@DRAWN
@given(
    header=st.lists(st.sampled_from(
        ["path", "image", "label", "y_true", "p_covid", "p_normal", "prob", "decision", "source",
         "age", "Sex", "", "patient", "y_covid"]), min_size=1, max_size=6),
    values=st.lists(st.lists(
        st.one_of(st.sampled_from(["covid", "normal", "a.png", "0", "1", "50 %", "0,5", "nan", ""]),
                  FRACTIONS.map(str), CELLS), min_size=6, max_size=6), max_size=4),
)  # fmt: skip
def test_any_table_of_predictions_is_recognised_or_refused(
    table: Path, header: list[str], values: list[list[str]]
) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([header, *(row[: len(header)] for row in values)])
    table.write_bytes(text.getvalue().encode())
    with contextlib.suppress(PulmoError):
        found = recognise(read_table(table), Options())
        assert len(found.table) == sum(any(cell.strip() for cell in row[: len(header)])
                                       for row in values)  # fmt: skip


@DRAWN
@given(
    numbers=st.lists(
        st.floats(allow_nan=False, allow_infinity=False, allow_subnormal=False), min_size=1
    ),
    decimal_comma=st.booleans(),
)
def test_numbers_are_read_to_the_last_bit(numbers: list[float], *, decimal_comma: bool) -> None:
    texts = [repr(number) for number in numbers]
    if decimal_comma:
        texts = [text.replace(".", ",") for text in texts]
    found = as_numbers(pd.Series(texts, dtype="string"), decimal_comma=decimal_comma)
    assert found is not None
    np.testing.assert_array_equal(found.array, numbers)


@DRAWN
@given(text=st.one_of(CELLS, st.floats(allow_subnormal=False).map(str), st.integers().map(str)))
def test_an_age_is_a_number_of_years_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        age = age_in_years(text)
        assert age is None or (math.isfinite(age) and 0 <= age <= 130)


@DRAWN
@given(setting=st.one_of(CELLS, st.tuples(CELLS, CELLS).map("=".join)))
def test_any_setting_of_a_recipe_is_applied_or_refused(setting: str) -> None:
    tree: dict[str, Any] = {"train": {"lr": 0.1, "stages": [{"epochs": 1}]}, "name": "drawn"}
    with contextlib.suppress(UsageError):
        apply_setting(tree, setting)
        assert "=" in setting


@DRAWN
@given(
    start=st.sampled_from([b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"BM", b"RIFF",
                           bytes(128) + b"DICM", b"\x00\x00\x00\x0cjP  "]),
    rest=st.binary(max_size=300),
)  # fmt: skip
def test_any_bytes_are_an_image_or_refused(start: bytes, rest: bytes) -> None:
    assume(start or rest)
    with pytest.raises(PulmoError) as refused:
        decode_radiograph(start + rest, "drawn")
    assert refused.value.code
