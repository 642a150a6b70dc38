"""Where an access to a test is recorded."""

from pathlib import Path

import pytest

from pulmo.cli.test_access import lists_of, record
from pulmo.evaluate.test_access import Access, read_accesses

ACCESS = Access(
    time="2026-01-01T00:00:00",
    test_sha256="a",
    manifest_sha256="b",
    split="test",
    images=3,
    model_sha256="c",
    weights_sha256="d",
    pulmo="0.1.0",
)


def test_beside_the_model_and_in_its_run(tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    beside = tmp_path / "test-access.jsonl"
    assert lists_of(tmp_path, None) == lists_of(tmp_path / "model.onnx", None) == [beside]
    lists = lists_of(tmp_path, run)
    assert lists == [beside, run / "test-access.jsonl"]
    assert record(None, lists) is None
    assert not beside.exists()
    assert [record(ACCESS, lists) for _ in range(2)] == [1, 2]
    assert [read_accesses(each) for each in lists] == [[ACCESS] * 2] * 2


def test_a_list_that_cannot_be_written_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert record(ACCESS, [tmp_path / "nowhere" / "test-access.jsonl"]) == 1
    assert "this access to the test set is not on record there" in capsys.readouterr().err
