from pathlib import Path

import pyarrow as pa
import pytest

import pulmo
from fixtures.refuses import refuses
from pulmo.datasets import journal as module
from pulmo.datasets.journal import JOURNAL, Journal


def facts(*names: str, modified: int = 1) -> pa.Table:
    rows = [
        {
            "path": name, "sha256": "a" * 64, "pixels_sha256": None, "width": 3, "height": 2,
            "format": "PNG", "bits": 8, "bytes": 100, "modified": modified, "view": None,
            "modality": None, "age": None, "sex": None,
        }
        for name in names
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, JOURNAL)


def test_what_is_added_is_read_by_the_next_one_the_latest_first(tmp_path: Path) -> None:
    folder = tmp_path / "m.parquet.journal"
    first = Journal(folder)
    assert first.read().num_rows == 0
    assert not folder.exists()
    first.add(facts())
    assert not folder.exists()
    first.add(facts("a", "b"))
    first.add(facts("c"))
    second = Journal(folder)
    second.add(facts("a", modified=2))
    table = Journal(folder).read()
    assert table["path"].to_pylist() == ["a", "c", "a", "b"]
    assert table["modified"].to_pylist() == [2, 1, 1, 1]
    assert table.schema.equals(JOURNAL, check_metadata=True)


def test_damaged_parts_and_those_of_another_version_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j")
    journal.add(facts("a"))
    part = next((tmp_path / "j").iterdir())
    (tmp_path / "j" / "000001-00000000.parquet").write_bytes(part.read_bytes()[:-50])
    (tmp_path / "j" / "000002-00000000.parquet").touch()
    (tmp_path / "j" / ".000003-00000000.parquet.0000").touch()
    assert journal.read()["path"].to_pylist() == ["a"]
    other = JOURNAL.with_metadata({"pulmo": f"{pulmo.__version__}.1", "facts": "1"})
    monkeypatch.setattr(module, "JOURNAL", other)
    assert journal.read().num_rows == 0


def test_removing_leaves_what_is_not_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.remove()
    journal.add(facts("a"))
    journal.remove()
    assert not (tmp_path / "j").exists()
    journal.add(facts("a"))
    (tmp_path / "j" / "notes.txt").touch()
    journal.remove()
    assert [path.name for path in (tmp_path / "j").iterdir()] == ["notes.txt"]


def test_a_journal_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "j").touch()
    with refuses("file-not-written"):
        Journal(tmp_path / "j").add(facts("a"))


def test_removing_takes_what_a_killed_process_was_writing(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j")
    journal.add(facts("a"))
    (tmp_path / "j" / ".000001-0a1b2c3d.parquet.4e5f").write_bytes(b"PAR1")
    journal.remove()
    assert not (tmp_path / "j").exists()
