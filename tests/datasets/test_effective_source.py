"""Effective sources: sources, and parts of them whose origins share no class."""

import pandas as pd

from pulmo.datasets.effective_source import effective_sources


def rows(*images: tuple[str, str | None, str]) -> pd.DataFrame:
    return pd.DataFrame(images, columns=["source", "origin", "class"])


def test_without_origins_the_effective_source_is_the_source() -> None:
    table = rows(("a", None, "covid"), ("a", None, "normal"), ("b", None, "normal"))
    assert effective_sources(table).tolist() == ["a", "a", "b"]
    assert effective_sources(table.drop(columns="origin")).tolist() == ["a", "a", "b"]


def test_origins_that_share_no_class_are_sources_of_their_own() -> None:
    table = rows(
        ("dark", "cohen", "covid"),
        ("dark", "nih", "normal"),
        ("dark", "nih", "pneumonia"),
        ("kermany", "Guangzhou", "normal"),
        ("kermany", "Guangzhou", "viral"),
    )
    assert effective_sources(table).tolist() == [
        "dark (from cohen)",
        *["dark (from nih)"] * 2,
        *["kermany"] * 2,
    ]


def test_origins_that_share_a_class_through_others_are_one_source() -> None:
    table = rows(
        ("cohen", "Milan", "covid"),
        ("cohen", "Sydney", "covid"),
        ("cohen", "Sydney", "normal"),
        ("cohen", "Hanoi", "normal"),
    )
    assert set(effective_sources(table)) == {"cohen"}


def test_a_part_of_several_origins_is_named_after_the_largest() -> None:
    table = rows(
        ("set", "x", "covid"),
        ("set", "y", "covid"),
        ("set", "y", "covid"),
        ("set", None, "normal"),
    )
    found = effective_sources(table).tolist()
    assert found == ["set (from y and 1 more)"] * 3 + ["set (from no stated origin)"]


def test_files_of_the_users_own_are_from_the_stated_hospitals_or_from_no_known_one() -> None:
    table = rows(
        ("mine", "north", "covid"),
        ("mine", "south", "covid"),
        ("mine", "south", "normal"),
        ("mine", None, "normal"),
        ("mine", None, "covid"),
        ("kermany", None, "normal"),
        ("unstated", None, "normal"),
    )
    table["root"] = pd.Series([*["/images"] * 5, None, None], dtype="string")
    # Hospitals that share a class are two nonetheless: nothing says that they are alike.
    assert effective_sources(table).tolist() == ["north", "south", "south", "", "", "kermany", ""]


def test_an_older_manifest_calls_such_files_after_their_reader() -> None:
    table = rows(("folder", None, "covid"), ("csv", "north", "normal"), ("csv", None, "normal"))
    assert effective_sources(table).tolist() == ["", "north", ""]
