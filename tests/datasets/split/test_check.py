from collections.abc import Callable

import pandas as pd
import pytest

from pulmo.core.errors import RefusedError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Plan, absences, check_split, draw, uncurated

MakeGroups = Callable[..., pd.DataFrame]


def test_a_group_on_two_sides_is_refused_by_name(films: pd.DataFrame) -> None:
    check_split(Manifest(films))
    shared = films["group"].value_counts()
    name = shared.index[shared > 1][0]
    rows = films.index[films["group"] == name]
    films.loc[rows[0], "split"] = "train"
    films.loc[rows[1:], "split"] = "test"
    with pytest.raises(RefusedError, match="1 group is on two sides") as caught:
        check_split(Manifest(films))
    assert f"{films['path'][rows[0]]} (train)" in str(caught.value)
    assert f"such as {name}: " in str(caught.value)


def test_a_patient_whose_pictures_are_in_two_groups_is_refused_by_name(
    make_groups: MakeGroups,
) -> None:
    table = make_groups(4).drop_duplicates("group").reset_index(drop=True)
    table["split"] = ["train", "test", "train", "test"]
    table["source"] = ["x", "x", "y", "x"]
    table["patient"] = ["p1", None, "p1", None]
    check_split(Manifest(table))
    table.loc[3, "patient"] = "p1"
    with pytest.raises(RefusedError, match="1 patient is on two sides, such as x:p1: ") as caught:
        check_split(Manifest(table))
    assert f"{table['path'][3]} (test), {table['path'][0]} (train)" in str(caught.value)
    assert "pulmo data merge" in str(caught.value)


@pytest.mark.parametrize(
    ("column", "what"),
    [("sha256", "identical pictures"), ("pixels_sha256", "picture of identical pixelss")],
)
def test_an_identical_picture_on_two_sides_is_refused(
    films: pd.DataFrame, column: str, what: str
) -> None:
    sides = [films.index[films["split"] == side][:2] for side in ("train", "val")]
    for train, val in zip(*sides, strict=True):
        films.loc[val, column] = films.loc[train, column]
    with pytest.raises(RefusedError, match=f"2 {what} are on two sides"):
        check_split(Manifest(films))


class TestFolds:
    """Folds leak like sides."""

    @pytest.mark.parametrize("column", ["group", "patient", "sha256", "pixels_sha256"])
    def test_what_is_on_two_folds_is_refused(self, films: pd.DataFrame, column: str) -> None:
        films["fold"] = films["group"].astype("category").cat.codes % 3
        films["split"] = "train"
        check_split(Manifest(films))
        first, second = films.index[films["fold"] == 0][0], films.index[films["fold"] == 1][0]
        films.loc[second, column] = films.loc[first, column]
        with pytest.raises(
            RefusedError, match=r"is on two folds, such as .*\(fold 0\), "
        ) as caught:
            check_split(Manifest(films))
        assert f"{films['path'][second]} (fold 1)" in str(caught.value)

    def test_the_test_has_no_fold(self, make_groups: MakeGroups) -> None:
        table = draw(Manifest(make_groups(80)), Plan(folds=3)).manifest
        check_split(table)
        assert table.frame["fold"].isna().equals(table.frame["split"] == "test")


class TestAbsences:
    """Labels that a side lacks."""

    def test_a_whole_split_lacks_nothing(self, films: pd.DataFrame) -> None:
        assert absences(Manifest(films)) == []
        films["fold"] = films["split"].map({"train": 0, "val": 1}).astype("Int64")
        assert absences(Manifest(films)) == []

    def test_a_side_without_a_label_is_named_and_an_empty_side_is_not(
        self, films: pd.DataFrame
    ) -> None:
        films.loc[films["split"] == "test", "split"] = None
        films.loc[(films["split"] == "val") & films["label"].isin(["viral", "covid"]), "split"] = (
            None
        )
        assert absences(Manifest(films)) == ["val has no picture of covid, viral"]

    def test_folds_are_held_against_each_other(self, films: pd.DataFrame) -> None:
        films = films[films["label"] != "viral"].reset_index(drop=True)
        films["split"] = "train"
        films["fold"] = films["label"].map({"covid": 0, "bacterial": 1, "normal": 2})
        assert absences(Manifest(films)) == [
            "fold 0 has no picture of bacterial, normal",
            "only fold 0 has pictures of covid: while it is val, none is trained on",
            "fold 1 has no picture of covid, normal",
            "only fold 1 has pictures of bacterial: while it is val, none is trained on",
            "fold 2 has no picture of bacterial, covid",
            "only fold 2 has pictures of normal: while it is val, none is trained on",
        ]
        films["fold"] = (films.index % 2).where(films["label"] != "covid", 2).astype("Int64")
        films.loc[films["label"] == "normal", ["split", "fold"]] = ["test", None]
        assert absences(Manifest(films))[:2] == [
            "test has no picture of bacterial, covid",
            "training has no picture of normal",
        ]


class TestUncurated:
    """Sources that have pictures from one another."""

    @pytest.fixture
    def borrowed(self, make_groups: MakeGroups) -> pd.DataFrame:
        """Every fifth picture of a names b, in one of several ways."""
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
        assert sentence.startswith(f"a has {n} of its pictures from b, but no group holds")
        assert "run `pulmo data curate` first" in sentence

    def test_found_copies_and_pictures_that_take_no_part_are_no_doubt(
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
