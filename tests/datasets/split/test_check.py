from collections.abc import Callable

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Plan, absences, check_split, draw, uncurated

MakeGroups = Callable[..., pd.DataFrame]


def test_a_group_on_two_sides_is_refused_by_name(images: pd.DataFrame) -> None:
    check_split(Manifest(images))
    shared = images["group"].value_counts()
    name = shared.index[shared > 1][0]
    rows = images.index[images["group"] == name]
    images.loc[rows[0], "split"] = "train"
    images.loc[rows[1:], "split"] = "test"
    with refuses("split-leaks", "1", "group is", "sides") as caught:
        check_split(Manifest(images))
    assert f"{images['path'][rows[0]]} (train)" in str(caught.value)
    assert f"such as {name}: " in str(caught.value)


def test_a_patient_whose_images_are_in_two_groups_is_refused_by_name(
    make_groups: MakeGroups,
) -> None:
    table = make_groups(4).drop_duplicates("group").reset_index(drop=True)
    table["split"] = ["train", "test", "train", "test"]
    table["source"] = ["x", "x", "y", "x"]
    table["patient"] = ["p1", None, "p1", None]
    check_split(Manifest(table))
    table.loc[3, "patient"] = "p1"
    with refuses("split-leaks", "1", "patient is", "sides", "x:p1") as caught:
        check_split(Manifest(table))
    assert f"{table['path'][3]} (test), {table['path'][0]} (train)" in str(caught.value)
    assert "groups" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "what"),
    [("sha256", "identical images"), ("pixels_sha256", "image of identical pixelss")],
)
def test_an_identical_image_on_two_sides_is_refused(
    images: pd.DataFrame, column: str, what: str
) -> None:
    sides = [images.index[images["split"] == side][:2] for side in ("train", "val")]
    for train, val in zip(*sides, strict=True):
        images.loc[val, column] = images.loc[train, column]
    with refuses("split-leaks", what):
        check_split(Manifest(images))


class TestFolds:
    """Folds leak like sides."""

    @pytest.mark.parametrize("column", ["group", "patient", "sha256", "pixels_sha256"])
    def test_what_is_on_two_folds_is_refused(self, images: pd.DataFrame, column: str) -> None:
        images["fold"] = images["group"].astype("category").cat.codes % 3
        images["split"] = "train"
        check_split(Manifest(images))
        first, second = images.index[images["fold"] == 0][0], images.index[images["fold"] == 1][0]
        images.loc[second, column] = images.loc[first, column]
        with refuses("split-leaks", "is", "folds", "(fold 0)") as caught:
            check_split(Manifest(images))
        assert f"{images['path'][second]} (fold 1)" in str(caught.value)

    def test_the_test_has_no_fold(self, make_groups: MakeGroups) -> None:
        table = draw(Manifest(make_groups(80)), Plan(folds=3)).manifest
        check_split(table)
        assert table.frame["fold"].isna().equals(table.frame["split"] == "test")


class TestAbsences:
    """Labels that a side lacks."""

    def test_a_whole_split_lacks_nothing(self, images: pd.DataFrame) -> None:
        assert absences(Manifest(images)) == []
        images["fold"] = images["split"].map({"train": 0, "val": 1}).astype("Int64")
        assert absences(Manifest(images)) == []

    def test_a_side_without_a_label_is_named_and_an_empty_side_is_not(
        self, images: pd.DataFrame
    ) -> None:
        images.loc[images["split"] == "test", "split"] = None
        images.loc[
            (images["split"] == "val") & images["label"].isin(["viral", "covid"]), "split"
        ] = None
        assert absences(Manifest(images)) == ["val has no image of covid, viral"]

    def test_folds_are_held_against_each_other(self, images: pd.DataFrame) -> None:
        images = images[images["label"] != "viral"].reset_index(drop=True)
        images["split"] = "train"
        images["fold"] = images["label"].map({"covid": 0, "bacterial": 1, "normal": 2})
        assert absences(Manifest(images)) == [
            "fold 0 has no image of bacterial, normal",
            "only fold 0 has images of covid: while it is val, none is trained on",
            "fold 1 has no image of covid, normal",
            "only fold 1 has images of bacterial: while it is val, none is trained on",
            "fold 2 has no image of bacterial, covid",
            "only fold 2 has images of normal: while it is val, none is trained on",
        ]
        images["fold"] = (images.index % 2).where(images["label"] != "covid", 2).astype("Int64")
        images.loc[images["label"] == "normal", ["split", "fold"]] = ["test", None]
        assert absences(Manifest(images))[:2] == [
            "test has no image of bacterial, covid",
            "training has no image of normal",
        ]


class TestUncurated:
    """Sources that have images from one another."""

    @pytest.fixture
    def borrowed(self, make_groups: MakeGroups) -> pd.DataFrame:
        """Every fifth image of a names b, in one of several ways."""
        table = make_groups(300)
        table["origin"] = table["origin"].mask(table["origin"].notna())
        rows = table.index[(table["source"] == "a") & (table.index % 5 == 0)]
        ways = ["B", "http://x/y/b-set", "from b, copied"]
        table.loc[rows, "origin"] = [ways[n % 3] for n in range(len(rows))]
        # Neither a part of a word nor a source itself is meant.
        table.loc[table["source"] == "c", "origin"] = "abc"
        return table

    @pytest.mark.parametrize("test", ["a", "b"])
    def test_a_source_left_out_may_be_what_is_trained_on(
        self, borrowed: pd.DataFrame, test: str
    ) -> None:
        n = ((borrowed["source"] == "a") & borrowed["origin"].notna()).sum()
        (sentence,) = uncurated(draw(Manifest(borrowed), Plan(leave_out=test)).manifest)
        assert sentence.startswith(f"a has {n} of its images from b, but no group holds")
        assert "run `pulmo data curate` first" in sentence

    def test_found_copies_and_images_that_take_no_part_are_no_doubt(
        self, borrowed: pd.DataFrame
    ) -> None:
        tied = borrowed.copy()
        tied.loc[tied.index[tied["source"] == "b"][0], "group"] = tied["group"][
            tied["source"] == "a"
        ].iloc[0]
        assert uncurated(draw(Manifest(tied), Plan(leave_out="b")).manifest) == []
        # These are left out of a test on b by rule.
        said = borrowed.assign(origin=borrowed["source"].map({"a": "b"}))
        assert uncurated(draw(Manifest(said), Plan(leave_out="b")).manifest) == []
        assert len(uncurated(draw(Manifest(said), Plan(leave_out="a")).manifest)) == 1

    def test_one_side_alone_leaks_nothing(self, borrowed: pd.DataFrame) -> None:
        assert len(uncurated(draw(Manifest(borrowed), Plan(folds=2, test=0)).manifest)) == 1
        assert uncurated(Manifest(borrowed.assign(split="train"))) == []
        assert uncurated(Manifest(borrowed.assign(split=None))) == []
