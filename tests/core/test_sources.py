"""What is known of where images are from."""

from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.sources import (
    OWN,
    are_stated,
    is_own,
    is_stated,
    source_names,
    unnamed,
    without_place,
)
from pulmo.datasets.source import SOURCES


def test_the_readers_of_ones_own_files_are_those_without_a_page() -> None:
    assert sorted(OWN) == sorted(name for name in SOURCES if not SOURCES[name].about.url)


def test_a_name_follows_from_the_place_and_tells_nothing_of_it(tmp_path: Path) -> None:
    first, second = tmp_path / "Jane Doe", tmp_path / "other"
    first.mkdir()
    (tmp_path / "link").symlink_to(first)
    assert unnamed("folder", first) == unnamed("folder", tmp_path / "link")
    assert unnamed("folder", first) != unnamed("folder", second)
    assert "Jane" not in unnamed("folder", first)
    names = pd.Series([unnamed("csv", first), f"{unnamed('csv', first)}:7", "csv-0:7", "mine:7"])
    assert without_place(names).tolist() == ["csv", "csv:7", "csv-0:7", "mine:7"]


@pytest.mark.parametrize("again", [False, True])
def test_ones_own_files_are_called_after_what_is_stated(*, again: bool) -> None:
    table = pd.DataFrame(
        {
            "source": ["kermany", "mine", "mine", "csv", "unstated"],
            "origin": pd.array([None, "north", None, None, None], "string"),
            "root": pd.array([None, "/a", "/a", None, None], "string"),
        }
    )
    assert is_own(table).tolist() == [False, True, True, True, False]
    names = source_names(table)
    if again:
        names = source_names(table.assign(source=names))
    assert names.tolist() == [
        "kermany",
        "north",
        "mine (hospital not stated)",
        "csv (hospital not stated)",
        "unstated",
    ]
    assert are_stated(names).tolist() == [True, True, False, False, False]
    assert [is_stated(name) for name in names] == are_stated(names).tolist()


def test_an_older_card_calls_them_after_their_reader() -> None:
    assert not is_stated("folder")
    assert are_stated(pd.Series(["csv", "nih", None], dtype="string")).tolist() == [
        False,
        True,
        False,
    ]
