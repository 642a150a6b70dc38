import gzip
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.text import first_fault, text_lines


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "the table.csv"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_keep_their_ends_and_lose_the_mark_of_the_beginning(path: Path, end: str) -> None:
    path.write_bytes(f"\ufeffä{end}b{end}c".encode())
    assert list(text_lines(path)) == [f"ä{end}", f"b{end}", "c"]


@pytest.mark.parametrize("before", [5, (1 << 20) - 1, 1 << 20])
def test_another_encoding_is_refused_with_the_byte_and_what_to_type(
    path: Path, before: int
) -> None:
    start = b"path\n" * before
    path.write_bytes(start[:before] + "é".encode() + b"\n")
    assert first_fault(path) is None
    path.write_bytes(start[:before] + "é".encode("latin-1") + b"\n")
    assert first_fault(path) == before
    command = f"iconv -f WINDOWS-1252 -t UTF-8 '{path}' > 'the table-utf8.csv'"
    with refuses("text-encoding-unknown", f"at byte {before}", command):
        list(text_lines(path))


def test_a_file_cut_within_a_letter_is_not_utf8(path: Path) -> None:
    path.write_bytes("path\né".encode()[:-1])
    with refuses("text-encoding-unknown", "at byte 5"):
        list(text_lines(path))


def test_utf16_is_named(path: Path) -> None:
    path.write_text("path,label\n", encoding="utf-16")
    with refuses("text-encoding-unknown", "at byte 0", "iconv -f UTF-16"):
        list(text_lines(path))


def test_the_encoding_of_a_published_file_can_be_said(path: Path) -> None:
    path.write_bytes(b"38\xb0 \x80\n\x81")
    assert next(text_lines(path, "latin-1")) == "38° \x80\n"
    with refuses("text-encoding-unknown", "windows-1252"):
        list(text_lines(path, "windows-1252"))


def test_what_is_no_text_is_a_sentence(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path.write_bytes(b"path\na\0b\n")
    with refuses("text-expected"):
        list(text_lines(path))
    monkeypatch.setattr("pulmo.datasets.text._LONGEST_LINE", 100)
    path.write_text("path\n" + "b" * 101)
    with refuses("text-expected"):
        list(text_lines(path))


def test_a_compressed_file_is_unpacked_as_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress("ä\nb\n".encode(), mtime=0)
    path.write_bytes(whole)
    assert list(text_lines(path)) == ["ä\n", "b\n"]
    path.write_bytes(gzip.compress("ä\n".encode("latin-1")))
    assert first_fault(path) == 0
    damaged = (b"no gzip", whole[:-9], whole[:10] + b"\xff" * 8 + whole[18:])
    for data, reason in zip(damaged, ("Not a gzipped", "Compressed file", "Error -3"), strict=True):
        path.write_bytes(data)
        with refuses("file-unreadable", reason):
            list(text_lines(path))


def test_a_disk_that_gives_no_bytes_is_named() -> None:
    # A regular file to look at, whose first page cannot be read.
    with refuses("file-unreadable"):
        list(text_lines(Path("/proc/self/mem")))
