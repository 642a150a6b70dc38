from collections.abc import Callable

import pandas as pd

from pulmo.datasets.inspect.copies import EXAMPLES, copies_of
from pulmo.datasets.inspect.inspection import Tally

Fill = Callable[..., pd.DataFrame]
NOTHING = Tally(sets=0, images=0, examples=())


def test_a_clean_manifest_has_none(table: pd.DataFrame, fill: Fill) -> None:
    copies = copies_of(fill(table.drop_duplicates("group"), patient=pd.NA))
    assert all(tally == NOTHING for _, tally in copies)


def test_copies_are_counted_by_bytes_and_by_pixels(table: pd.DataFrame) -> None:
    table.loc[[3, 7], "sha256"] = "a" * 64
    table.loc[[3, 7, 9], "pixels_sha256"] = "b" * 64
    table.loc[20:30, "pixels_sha256"] = pd.NA
    copies = copies_of(table)
    paths = table["path"]
    assert copies.same_bytes == Tally(sets=1, images=2, examples=(paths[3], paths[7]))
    assert copies.same_pixels == Tally(sets=1, images=3, examples=tuple(paths[[3, 7, 9]]))


def test_what_is_in_two_places(table: pd.DataFrame, fill: Fill) -> None:
    table = fill(table, patient=pd.NA, source="east", split="val")
    table["group"] = table.index.astype("string")
    table.loc[:9, "group"] = "g"
    table.loc[:9, "label"] = ["covid", "viral"] * 5
    table.loc[0, "source"] = "west"
    table.loc[[50, 51], "patient"] = "p"
    table.loc[[50, 51], "label"] = ["covid", "viral"]
    table.loc[[60, 61], "group"] = "h"
    table.loc[[60, 61], "label"] = "viral"
    table.loc[60, "split"] = "test"
    copies = copies_of(table)
    assert copies.groups_with_several_labels.sets == 1
    assert copies.groups_with_several_labels.images == 10
    assert len(copies.groups_with_several_labels.examples) == EXAMPLES
    assert (copies.groups_across_sources.sets, copies.groups_across_sources.images) == (1, 10)
    assert copies.patients_with_several_labels.examples == tuple(table["path"][[50, 51]])
    assert copies.groups_across_splits.examples == tuple(table["path"][[60, 61]])


def test_a_patient_of_each_of_two_sources_is_two(table: pd.DataFrame) -> None:
    table["patient"] = pd.NA
    table.loc[[0, 1], "patient"] = "1"
    table.loc[[0, 1], "source"] = ["east", "west"]
    table.loc[[0, 1], "label"] = ["covid", "viral"]
    table = table.astype({"patient": "string"})
    assert copies_of(table).patients_with_several_labels == NOTHING
