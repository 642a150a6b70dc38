"""Data sets of one name, under each other."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.merge import join, merge, merge_agreeing
from pulmo.datasets.phantom.encodings import png


@pytest.fixture
def hospitals(tmp_path: Path) -> list[Path]:
    """Two tables of two hospitals that number their patients on their own."""
    tables = []
    for seed, hospital in enumerate(("first", "second")):
        generator = np.random.default_rng(seed)
        folder = tmp_path / hospital
        folder.mkdir()
        lines = ["path,label,patient"]
        for number in range(6):
            (folder / f"{number}.png").write_bytes(png(generator.random((40, 40), np.float32), 8))
            lines.append(f"{number}.png,{'covid' if number % 2 else 'normal'},{number // 2}")
        (folder / "images.csv").write_text("\n".join(lines))
        tables.append(folder / "images.csv")
    return tables


def imported(table: Path, name: str | None = None) -> pd.DataFrame:
    return import_source("csv", table, called=name).manifest.frame


def test_two_hospitals_without_a_name_share_no_patient(hospitals: list[Path]) -> None:
    table = merge([Manifest(imported(each)) for each in hospitals])
    assert table.frame["group"].nunique() == 6
    assert table.frame["source"].nunique() == 2


def test_two_places_of_one_name_are_refused(hospitals: list[Path]) -> None:
    tables = [Manifest(imported(each, "mine")) for each in hospitals]
    for action in (join, merge, merge_agreeing):
        with refuses("source-name-shared", "'mine", "mine"):
            action(tables)
    assert merge(tables, ["mine"]).frame["group"].nunique() == 3
    # What was joined on purpose is joined again with either part of it gone.
    both = merge(tables, ["mine"])
    assert (
        len(
            join(
                [both.select(range(6)), both.select([6, 7, 8]), both.select([9, 10, 11])], ["mine"]
            )
        )
        == 12
    )
    with refuses("source-name-shared", "'mine'"):
        join([both.select(range(6)), both.select(range(6, 12))])


def test_named_apart_they_are_apart(hospitals: list[Path]) -> None:
    tables = [Manifest(imported(each, name)) for each, name in zip(hospitals, "ab", strict=True)]
    assert merge(tables).frame["group"].nunique() == 6


def test_one_table_in_parts_is_one_data_set(hospitals: list[Path]) -> None:
    whole = imported(hospitals[0], "mine")
    assert merge([Manifest(whole[:3]), Manifest(whole[3:])]).frame["group"].nunique() == 3
    with refuses("image-in-several-manifests"):
        merge([Manifest(whole), Manifest(imported(hospitals[0]))])


def test_an_older_manifest_does_not_say_its_place(hospitals: list[Path]) -> None:
    old = [imported(each, "csv").assign(root=None) for each in hospitals]
    with refuses("source-name-shared", "'csv'"):
        join([Manifest(each) for each in old])
    assert len(join([Manifest(old[0][:3]), Manifest(old[0][3:])])) == 6


def test_the_hash_of_an_unnamed_set_is_the_same_wherever_it_lies(
    hospitals: list[Path], tmp_path: Path
) -> None:
    shutil.copytree(hospitals[0].parent, tmp_path / "moved")
    here, there = imported(hospitals[0]), imported(tmp_path / "moved" / "images.csv")
    assert here["source"].iloc[0] != there["source"].iloc[0]
    assert Manifest(here).sha256 == Manifest(there).sha256
    assert Manifest(here).sha256 != Manifest(imported(hospitals[1])).sha256
