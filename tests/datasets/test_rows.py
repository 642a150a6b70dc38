import csv
import gzip
import os
import random
import tracemalloc
from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.dialect import dialect_of
from pulmo.datasets.rows import (
    age_in_years,
    file_inside,
    if_exact,
    known_sex,
    numbered_rows,
    offset_in_days,
    read_rows,
)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "the table.csv"


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_however_it_is_written(
    table: Path, mark: str, encoding: str, end: str
) -> None:
    lines = [["path", "label", "note"], ["ä.png", "covid", f'a "b"{mark} c'], ["b.png", "", " d "]]
    with table.open("w", newline="", encoding=encoding) as file:
        csv.writer(file, delimiter=mark, lineterminator=end).writerows(lines)
    assert list(read_rows(table, ("label", "path"))) == [
        {"path": "ä.png", "label": "covid", "note": f'a "b"{mark} c'},
        {"path": "b.png", "label": "", "note": "d"},
    ]


def test_rows_are_those_that_pandas_reads(table: Path) -> None:
    generator = random.Random(0)  # noqa: S311 - not for secrets
    pieces = ("a", "é", "漢", '"', ",", ";", "\n", "\r\n", "'", "\\")
    frame = pd.DataFrame(
        {
            name: ["x" + "".join(generator.choices(pieces, k=8)) + "x" for _ in range(300)]
            for name in ("path", "label", "note")
        }
    )
    frame.to_csv(table, index=False)
    expected = pd.read_csv(table, dtype=str).to_dict("records")
    assert list(read_rows(table, ("path",))) == expected


@pytest.mark.parametrize(
    ("text", "encoding", "departure"),
    [
        ("path,a\nä,1\n", "utf-8-sig", None),
        ("path,a\nä,1\n", "latin-1", "text in Windows-1252"),
        ("path;a\nb;1\n", "utf-8", "values with semicolons between them"),
        ("path\ta\nä\t1\n", "utf-16", "text in UTF-16, values with tabs between them"),
        ("path,a\nä,1\n", "utf-16-be", "text in UTF-16"),
    ],
)
def test_how_a_table_departs_from_utf8_with_commas_is_said(
    table: Path, text: str, encoding: str, departure: str | None
) -> None:
    table.write_text(text, encoding=encoding)
    for required in (("path",), ()):
        dialect = dialect_of(table, required)
        assert dialect.departure() == departure
        assert dialect.decimal_comma == ("," not in text)


def test_a_row_knows_the_line_on_which_it_begins(table: Path) -> None:
    table.write_text('path , label\n"a\nb",x\n\n,,,\nc,y\n')
    assert list(numbered_rows(table, ("path", "label"))) == [
        (2, {"path": "a\nb", "label": "x"}),
        (6, {"path": "c", "label": "y"}),
    ]


def test_a_row_that_does_not_fit_the_header_does_not_say_which_value_is_which(table: Path) -> None:
    table.write_text("path,,label,age\na\nb,1,x\nc,2,x,3, ,\nd,1,x,3,more\n")
    assert list(read_rows(table, ("path", "label"))) == [
        {"path": "a", "label": None, "age": None},
        {"path": "b", "label": "x", "age": None},
        {"path": "c", "label": "x", "age": "3"},
        {"path": None, "label": None, "age": None},
    ]


def test_columns_are_checked_before_a_row_is_asked_for(table: Path) -> None:
    table.write_text("file;class\na;b\n")
    with refuses("column-missing", "path, label", "file, class"):
        read_rows(table, ("path", "label"))
    table.write_text("path,label,age,age,path\n")
    with refuses("column-repeated", "path, age"):
        read_rows(table, ("path",))
    table.write_text("")
    with refuses("column-missing", "path", "none"):
        read_rows(table, ("path",))
    table.write_text("x" * 200_000)
    with refuses("column-missing", "path", "none"):
        read_rows(table, ("path",))
    with refuses("file-missing"):
        read_rows(table.with_name("none"), ("path",))
    with refuses("file-is-folder"):
        read_rows(table.parent, ("path",))


def test_a_header_with_two_meanings_is_refused(table: Path) -> None:
    table.write_text("path,a;path\n")
    with refuses("column-missing", "label"):
        read_rows(table, ("path", "label"))
    table.write_text("path,path;path\n")
    with refuses("table-delimiter-ambiguous", "'path,path"):
        read_rows(table, ("path",))
    table.write_text("path\na.png\n")
    assert list(read_rows(table, ("path",))) == [{"path": "a.png"}]


def test_the_encoding_of_a_published_table_counts_only_where_it_is_not_utf8(table: Path) -> None:
    for encoding in ("windows-1252", "utf-8", "utf-8-sig"):
        table.write_text("path,note\na,38° €\n", encoding=encoding)
        assert list(read_rows(table, ("path",), "windows-1252")) == [{"path": "a", "note": "38° €"}]
    table.write_bytes(b"path\n\x81\n")
    with refuses("text-encoding-unknown", "windows-1252"):
        list(read_rows(table, ("path",), "windows-1252"))


def test_what_is_no_table_is_a_sentence(table: Path) -> None:
    for text in ('path\na\n"b\n', 'path\na\n"b"c\n', f"path\na\n{'b' * 200_000}\n"):
        table.write_text(text)
        with refuses("csv-invalid", "3"):
            list(read_rows(table, ("path",)))
    table.write_bytes(b"path\n\x81\n")
    with refuses("text-encoding-unknown"):
        read_rows(table, ("path",))
    table.write_bytes(b"\xff\xfep\0a")
    with refuses("text-encoding-unknown"):
        read_rows(table, ("path",))


def test_a_compressed_table_is_read(table: Path) -> None:
    packed = table.with_suffix(".csv.gz")
    packed.write_bytes(gzip.compress(b"path,label\na,covid\n"))
    assert list(read_rows(packed, ("path",))) == [{"path": "a", "label": "covid"}]


def test_a_long_table_takes_little_memory(table: Path) -> None:
    table.write_text("path,label\n" + "a/long/name/of/a/image.png,covid\n" * 30_000)
    tracemalloc.start()
    try:
        assert sum(1 for _ in read_rows(table, ("path", "label"))) == 30_000
        assert tracemalloc.get_traced_memory()[1] < 300_000 < table.stat().st_size
    finally:
        tracemalloc.stop()


def test_a_table_leads_to_files_inside_its_folder_only(tmp_path: Path) -> None:
    inside = tmp_path / "set"
    inside.mkdir()
    (inside / "loop").symlink_to("loop")
    (inside / "out").symlink_to(tmp_path)
    assert file_inside(inside, "a/../b.png") == inside / "b.png"
    for name in ("../a.png", "out/a.png", str(tmp_path / "a.png")):
        with pytest.raises(ValueError, match=f"{name} lies outside {inside}"):
            file_inside(inside, name)
    for name in ("loop", "x" * 5000, "a\0b"):
        with pytest.raises(ValueError, match="is no usable path"):
            file_inside(inside, name)
    assert os.path.lexists(inside / "loop")


def test_values_are_read_or_refused() -> None:
    assert [age_in_years(text) for text in (None, " ", "0", " 64.5 ", "130")] == [
        *(None, None, 0.0, 64.5, 130.0)
    ]
    for text in ("old", "nan", "131", "-1", "64,5"):
        with pytest.raises(ValueError, match=f"its age '{text}' is not a number of years from 0"):
            age_in_years(text)
    assert [offset_in_days(text) for text in (None, "", "-5", "3.5")] == [None, None, -5.0, 3.5]
    for text in ("?", "nan", "inf"):
        with pytest.raises(ValueError, match="is not a number of days"):
            offset_in_days(text)
    assert [known_sex(text) for text in (None, "", " F ", "M", "O")] == [None, None, "F", "M", "O"]
    with pytest.raises(ValueError, match="its sex is 'male', not F, M or O"):
        known_sex("male")


def test_what_is_not_exact_is_not_known() -> None:
    assert if_exact(age_in_years, "50") == 50.0
    assert if_exact(age_in_years, "50+") is None
    assert if_exact(offset_in_days, "?") is None
