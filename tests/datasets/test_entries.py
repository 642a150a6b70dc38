from collections.abc import Mapping
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.datasets.entries import MISFIT, image_inside, once, table_entries
from pulmo.datasets.source import Entry, Problem


def test_a_row_becomes_an_entry_or_a_problem_with_its_line(tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("path,label,age\na,covid,1\nb\nc,covid,2,3\nd,covid\n\ne,none,\n")

    def read(row: Mapping[str, str]) -> Entry | Problem:
        if row["label"] == "none":
            raise ValueError("it has no label")
        return Entry(Path(row["path"]), row["label"], finding=row.get("age"))

    assert list(table_entries(table, ("path", "label"), read)) == [
        Entry(Path("a"), "covid", "1"),
        Problem(f"{table}, line 3", MISFIT),
        Problem(f"{table}, line 4", MISFIT),
        Entry(Path("d"), "covid", None),
        Problem(f"{table}, line 7", "it has no label"),
    ]
    with refuses("column-missing", "view"):
        list(table_entries(table, ("view",), read))


def test_the_second_row_of_an_image_counts_only_if_it_contradicts_the_first() -> None:
    first, again = Entry(Path("s/a"), "covid", "1"), Entry(Path("s/a"), "covid", "2")
    other, problem = Entry(Path("s/a"), "normal"), Problem("b", "it is damaged")
    assert list(once([first, problem, again, other, other])) == [
        first,
        problem,
        Problem("a", "it has a second row; the first one counts", failed=False),
        other,
        Problem("a", "it has a second row; the first one counts", failed=False),
    ]


def test_an_image_lies_inside_or_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    assert image_inside(tmp_path, "a.png") == tmp_path / "a.png"
    assert image_inside(tmp_path, "b.png") == Problem(
        "b.png", "its row has no image here", failed=False
    )
    with pytest.raises(ValueError, match="lies outside"):
        image_inside(tmp_path, "../a.png")
