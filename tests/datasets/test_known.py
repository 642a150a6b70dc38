from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from pulmo.datasets import known as module
from pulmo.datasets.columns import TEXT
from pulmo.datasets.journal import FACTS, Journal
from pulmo.datasets.known import KNOWN, known_files, stamp, tasks
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.reading import FileFacts, Known, Task

FILE = FileFacts("a" * 64, "b" * 64, 3, 2, "PNG", 8, 100, 7, None, None, None, None, None)


def known(**files: Known) -> pa.Table:
    rows = [
        {"path": path, **item.facts._asdict(), "has_tags": item.has_tags}
        for path, item in files.items()
    ]
    return pa.Table.from_pylist(rows, KNOWN)


def paths(*chunks: list[str]) -> pa.ChunkedArray:
    return pa.chunked_array(chunks, TEXT)


def test_the_names_of_the_facts_are_the_columns() -> None:
    assert FACTS.names == list(FileFacts._fields)


def test_a_task_has_what_is_known_of_its_file() -> None:
    table = known(a=Known(FILE), b=Known(FILE._replace(view="PA"), has_tags=False), x=Known(FILE))
    given = tasks(paths(["c", "b"], [], ["a"]), table, decode=True)
    assert list(given) == [
        Task("c"),
        Task("b", Known(FILE._replace(view="PA"), has_tags=False)),
        Task("a", Known(FILE)),
    ]
    assert list(tasks(paths(), table, decode=True)) == []
    assert list(tasks(paths(["a"]), KNOWN.empty_table(), decode=True)) == [Task("a")]


def test_of_two_findings_the_first_counts() -> None:
    table = pa.concat_tables([known(a=Known(FILE)), known(a=Known(FILE._replace(bytes=1)))])
    assert list(tasks(paths(["a"]), table, decode=True)) == [Task("a", Known(FILE))]


def test_what_was_not_decoded_does_not_do_for_decoding() -> None:
    header = FILE._replace(pixels_sha256=None)
    table = pa.concat_tables([known(a=Known(header)), known(b=Known(header), a=Known(FILE))])
    assert list(tasks(paths(["a", "b"]), table, decode=False)) == [
        Task("a", Known(header)),
        Task("b", Known(header)),
    ]
    assert list(tasks(paths(["a", "b"]), table, decode=True)) == [Task("a", Known(FILE)), Task("b")]


def test_a_manifest_tells_what_its_files_are(images: pd.DataFrame, tmp_path: Path) -> None:
    images["format"] = ["DICOM", "JPEG", "TIFF", *images["format"][3:]]
    images.loc[1, "bits"] = pd.NA
    images["view"] = "PA"
    stamp(Manifest(images)).save(tmp_path / "m.parquet")
    table = known_files(tmp_path / "m.parquet", None)
    assert table.schema == KNOWN
    assert table["path"].to_pylist() == images["path"].drop(1).tolist()
    assert table["sha256"].to_pylist() == images["sha256"].drop(1).tolist()
    assert table["modified"].to_pylist() == images["modified"].drop(1).tolist()
    # The view may be the source's word.
    assert table["view"].null_count == len(table)
    formats = images["format"].drop(1)
    assert {*formats} == {"PNG", "JPEG", "TIFF", "DICOM"}
    assert table["has_tags"].to_pylist() == [form != "DICOM" for form in formats]


def test_what_is_no_stamped_manifest_tells_nothing(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.parquet"
    images.attrs.clear()
    Manifest(images).save(path)
    assert len(known_files(path, None)) == 0
    stamp(Manifest(images)).save(path)
    assert len(known_files(path, None)) == len(images)
    monkeypatch.setattr(module, "FACTS_FORMAT", -1)
    assert len(known_files(path, None)) == 0
    for content in (b"text", b""):
        path.write_bytes(content)
        assert len(known_files(path, None)) == 0
    images[["path"]].to_parquet(path)
    assert len(known_files(path, None)) == 0
    assert len(known_files(tmp_path / "none.parquet", None)) == 0


def test_the_journal_goes_before_the_manifest(images: pd.DataFrame, tmp_path: Path) -> None:
    stamp(Manifest(images)).save(tmp_path / "m.parquet")
    journal = Journal(tmp_path / "j")
    first = images["path"][0]
    journal.add(known(**{first: Known(FILE._replace(view="AP"))}).drop_columns("has_tags"))
    table = known_files(tmp_path / "m.parquet", journal)
    assert len(table) == len(images) + 1
    assert next(tasks(paths([first]), table, decode=True)) == Task(
        first, Known(FILE._replace(view="AP"))
    )
    assert len(known_files(None, None)) == 0
