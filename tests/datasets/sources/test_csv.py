from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.entries import MISFIT
from pulmo.datasets.indexing import index_entries
from pulmo.datasets.rows import VIEWS
from pulmo.datasets.source import SOURCES, Entry, Problem


def index(
    table: Path, label_map: dict[str, str] | None = None
) -> tuple[list[Entry], list[Problem]]:
    items = list(SOURCES["csv"].entries(table, label_map or {}))
    entries = [item for item in items if isinstance(item, Entry)]
    return entries, [item for item in items if isinstance(item, Problem)]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return tmp_path / "t.csv"


def test_a_row_says_what_its_columns_say(table: Path) -> None:
    table.write_text(
        "\ufeffpath;label;patient;view;modality;age;sex;split;finding;origin;licence;offset\n"
        "a.png;covid;p1;PA;CT;64.5;F;train;COVID-19;a hospital;CC BY 4.0;-3\n"
        "b/c.png;Healthy;;;;;;;;;;\n",
        encoding="utf-8",
    )
    entries, problems = index(table, {"Healthy": "normal"})
    assert entries == [
        Entry(
            table.parent / "a.png",
            "covid",
            finding="COVID-19",
            patient="p1",
            view="PA",
            modality="CT",
            age=64.5,
            sex="F",
            split="train",
            origin="a hospital",
            licence="CC BY 4.0",
            offset=-3.0,
        ),
        Entry(table.parent / "b" / "c.png", "normal", finding="Healthy"),
    ]
    assert not problems


def test_a_damaged_row_is_named_by_its_line_and_the_rest_is_done(table: Path) -> None:
    (table.parent / "loop").symlink_to("loop")
    table.write_text(
        "path,label,age,sex,split,offset\n"
        "a.png,covid\n"
        "\n"
        ",covid,,,,\n"
        "b.png,,,,,\n"
        "c.png\n"
        "d.png,covid,,,,,7\n"
        "e.png,covid,old,,,\n"
        "f.png,covid,131,,,\n"
        "g.png,covid,,male,,\n"
        "h.png,covid,,,later,\n"
        "i.png,covid,,,,soon\n"
        "../j.png,covid,,,,\n"
        "loop,covid,,,,\n"
        f"{'x' * 5000},covid,,,,\n"
        "b/../a.png,covid,,,,\n"
        "k.png,normal,,,,\n"
    )
    entries, problems = index(table)
    assert [(entry.path.name, entry.label) for entry in entries] == [
        ("a.png", "covid"),
        ("k.png", "normal"),
    ]
    assert all(problem.failed for problem in problems)
    assert [problem.path for problem in problems] == [
        f"{table}, line {number}" for number in range(4, 17)
    ]
    assert [problem.reason for problem in problems] == [
        "its path or label is blank",
        "its path or label is blank",
        MISFIT,
        MISFIT,
        "its age 'old' is not a number of years from 0 to 130",
        "its age '131' is not a number of years from 0 to 130",
        "its sex is 'male', not F, M or O",
        "its split is 'later', not train, val, test",
        "its offset 'soon' is not a number of days",
        f"../j.png lies outside {table.parent}",
        "'loop' is no usable path",
        f"'{'x' * 80}' is no usable path",
        "its image is on line 2 already",
    ]


def test_a_second_row_with_another_label_is_kept_so_that_the_import_refuses_both(
    table: Path,
) -> None:
    table.write_text("path,label\na.png,covid\n./a.png,normal\na.png,covid\nb/c.png,normal\n")
    entries, problems = index(table)
    assert [entry.label for entry in entries] == ["covid", "normal", "normal"]
    assert [(p.path, p.reason) for p in problems] == [
        (f"{table}, line 4", "its image is on line 2 already")
    ]
    indexed = index_entries([*entries, *problems])
    assert [Path(path).name for path in indexed.entries["path"].to_pylist()] == ["c.png"]
    assert indexed.problems[1].reason == "it is found with different labels: covid, normal"


def test_a_label_that_is_none_stops_before_the_first_image(table: Path) -> None:
    table.write_text("path,label\na.png,covid\n\nb.png,Healthy\nc.png,Healthy\n,Fine\n")
    rows = SOURCES["csv"].entries(table, {"Fine": "normal"})
    with refuses("class-names-unknown", "t.csv", "'Healthy'", "normal"):
        next(rows)
    with refuses("mapped-class-missing", "'Helthy'", "Fine, Healthy, covid"):
        index(table, {"Helthy": "normal"})


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_table_is_read_whatever_program_wrote_it(table: Path, encoding: str) -> None:
    rows = "path;label;age;offset\ncafé.png;covid;64,5;-1,25\n"
    table.write_bytes(rows.encode(encoding))
    entries, problems = index(table)
    assert entries == [Entry(table.parent / "café.png", "covid", "covid", age=64.5, offset=-1.25)]
    assert not problems


def test_a_comma_is_no_point_where_it_parts_the_values(table: Path) -> None:
    table.write_text('path,label,age\na.png,covid,"64,5"\n')
    assert index(table)[1] == [
        Problem(f"{table}, line 2", "its age '64,5' is not a number of years from 0 to 130")
    ]


def test_all_words_that_are_no_labels_are_in_one_message(table: Path) -> None:
    table.write_text("path,label\na.png,COVID19\nb.png,No Finding\nc.png,xyz\n")
    with refuses("class-names-unknown", "'COVID19'", "'No Finding'", "'xyz'"):
        index(table)


def test_a_table_may_lie_next_to_its_files(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "images").mkdir()
    table = tmp_path / "notes" / "t.csv"
    table.write_text("path,label\na.png,covid\n../b.png,normal\n")
    reader = SOURCES["csv"].elsewhere
    assert reader is not None
    entry, problem = reader(table, {}, tmp_path / "images")
    assert entry == Entry(tmp_path / "images" / "a.png", "covid", finding="covid")
    assert problem.reason == f"../b.png lies outside {tmp_path / 'images'}"  # type: ignore[union-attr] # a problem
    with refuses("folder-missing", "none"):
        list(reader(table, {}, tmp_path / "none"))
    assert SOURCES["folder"].elsewhere is None


def test_no_text_and_other_columns_are_refused(table: Path) -> None:
    table.write_bytes(b"path,label\n\x81.png,covid\n")
    with refuses("text-encoding-unknown", "at byte 11", "WINDOWS-1252"):
        index(table)
    table.write_text("file;class\na;b\n")
    with refuses("column-missing", "path, label", "file, class"):
        index(table)
    table.write_text(f'path,label\n"{"x" * 200_000}')
    with refuses("csv-invalid", "2", "field larger"):
        index(table)


@pytest.mark.parametrize(
    ("view", "modality", "reason"),
    [
        ("pa", "CT", f"its view is 'pa', not {', '.join(VIEWS)}"),
        ("PA", "xray", "its modality is 'xray', not X-ray, CT or another code of DICOM's"),
    ],
)
def test_a_view_or_modality_in_other_words_is_named(
    table: Path, view: str, modality: str, reason: str
) -> None:
    table.write_text(f"path,label,view,modality\na.png,covid,{view},{modality}\n")
    _, problems = index(table)
    assert [problem.reason for problem in problems] == [reason]


@pytest.mark.parametrize(
    ("said", "known"), [("DX", "X-ray"), ("X-ray", "X-ray"), ("CT", "CT"), ("OT", None), ("", None)]
)
def test_a_modality_may_be_a_code_of_dicoms(table: Path, said: str, known: str | None) -> None:
    table.write_text(f"path,label,modality\na.png,covid,{said}\n")
    (entry,), _ = index(table)
    assert entry.modality == known


def test_a_workbook_is_read_as_the_text_that_it_shows(tmp_path: Path) -> None:
    rows = [
        ("label", "path", "patient", "age", "sex", None),
        ("covid", "a.png", 17, 64.5, "F", "not in a column"),
        (None, None, None, None, None, None),
        ("Normal", "b.png", 18.0, "41,5", None, None),
        ("normal", None, 19, 40, "M", None),
    ]
    text = tmp_path / "t.csv"
    text.write_text("path;label;patient;age;sex\na.png;covid;17;64,5;F\nb.png;Normal;18;41,5;\n")
    with pd.ExcelWriter(tmp_path / "t.xlsx") as book:
        pd.DataFrame(rows).to_excel(book, sheet_name="images", index=False, header=False)
        pd.DataFrame({"more": [1]}).to_excel(book, sheet_name="more")
    entries, problems = index(tmp_path / "t.xlsx")
    assert entries == index(text)[0]
    assert problems == [Problem(f"{tmp_path / 't.xlsx'}, line 5", "its path or label is blank")]


def test_a_workbook_without_a_needed_column_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "t.xlsx"
    pd.DataFrame({"image": ["a.png"], "label": ["covid"]}).to_excel(table, index=False)
    with refuses("column-missing", "path", "image, label"):
        index(table)
