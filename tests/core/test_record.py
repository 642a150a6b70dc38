"""Records: JSON that is read back, or refused with where it is wrong."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from fixtures.refuses import refuses
from pulmo.core.record import Record, parse_record, read_record, write_record


class Inner(Record):
    value: float


class Outer(Record):
    name: str
    inner: Inner


def test_a_record_is_read_back(tmp_path: Path) -> None:
    record = Outer(name="a", inner=Inner(value=1.5))
    path = tmp_path / "record.json"
    write_record(path, record)

    assert path.read_text().endswith("}\n")
    assert read_record(path, Outer, "a record") == record


def test_a_record_is_frozen_and_knows_its_keys() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Inner(value=1.0).value = 2.0
    with pytest.raises(ValidationError, match="Extra inputs"):
        Inner.model_validate({"value": 1.0, "other": 2})


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_record_holds_no_value_that_is_no_number(value: float) -> None:
    with pytest.raises(ValidationError, match="finite"):
        Inner(value=value)


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("{", ("record-invalid", "x", "a record", "the text", "Invalid JSON")),
        (
            '{"name": "a", "inner": {}}',
            ("record-invalid", "x", "a record", "inner.value", "Field required"),
        ),
    ],
)
def test_what_is_no_record_is_refused_with_the_place(text: str, refused: tuple[str, ...]) -> None:
    with refuses(*refused):
        parse_record(text, Outer, origin="x", what="a record")
