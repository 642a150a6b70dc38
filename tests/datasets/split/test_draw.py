from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Shares, check_split, split_manifest
from pulmo.datasets.split.draw import draw_sides, undrawn

MakeGroups = Callable[..., pd.DataFrame]


def generator() -> np.random.Generator:
    return np.random.default_rng(0)


def test_groups_stay_whole_and_every_stratum_gets_its_share(make_groups: MakeGroups) -> None:
    table = split_manifest(Manifest(make_groups()), Shares(0.1, 0.2), generator())
    check_split(table)
    assert len(table.frame.drop_duplicates(["group", "split"])) == table.frame["group"].nunique()
    for _, stratum in table.frame.groupby(["label", "source"]):
        shares = stratum["split"].value_counts(normalize=True)
        assert shares["val"] == pytest.approx(0.1, abs=0.05)
        assert shares["test"] == pytest.approx(0.2, abs=0.05)


def test_a_split_depends_on_the_seed_and_not_on_the_row_order(make_groups: MakeGroups) -> None:
    table = make_groups(100)

    def sides(rows: pd.DataFrame, seed: int) -> dict[str, str]:
        split = split_manifest(Manifest(rows), Shares(), np.random.default_rng(seed))
        return dict(zip(split.frame["path"], split.frame["split"], strict=True))

    assert sides(table, 1) == sides(table.sample(frac=1, random_state=0), 1)
    assert sides(table, 1) != sides(table, 2)


def test_folds_of_another_split_are_dropped(images: pd.DataFrame) -> None:
    assert (
        split_manifest(Manifest(images.assign(fold=3)), Shares(), generator())
        .frame["fold"]
        .isna()
        .all()
    )


class TestKeptTest:
    """Sources whose test is kept."""

    def test_its_groups_leave_training(self, make_groups: MakeGroups) -> None:
        table = make_groups()
        official = (table["source"] == "a") & (np.arange(len(table)) % 7 == 0)
        table["split"] = official.map({True: "test", False: "train"})
        split = split_manifest(Manifest(table), Shares(0.1, 0.2), generator(), keep="test")
        assert split.frame["path"].tolist() == table["path"].tolist()
        a = (split.frame["source"] == "a").to_numpy()
        assert ((split.frame["split"] == "test")[a] == official[a]).all()
        held = split.frame["group"].isin(split.frame["group"][official]) & ~official
        assert held.any()
        assert split.frame["split"][held].isna().all()
        assert split.frame["split"][~held].notna().all()
        assert 0.15 < (split.frame["split"] == "test")[~a].mean() < 0.25
        check_split(split)

    def test_a_group_that_spans_a_source_with_a_test_and_one_without_is_on_one_side(
        self, make_groups: MakeGroups
    ) -> None:
        """As of an image that both sources copied from a third."""
        table = make_groups()
        table["split"] = ((table["source"] == "a") & (np.arange(len(table)) % 29 == 0)).map(
            {True: "test", False: None}
        )
        copies = table[table["source"] == "a"].assign(source="b", split=None)
        copies["path"] = "/copy" + copies["path"]
        both = pd.concat([table, copies], ignore_index=True)
        split = split_manifest(Manifest(both), Shares(0.1, 0.2), generator(), keep="test")
        check_split(split)
        spanning = both["group"].isin(copies["group"])
        free = ~both["group"].isin(both["group"][both["split"] == "test"])
        tied = split.frame["split"][spanning & free]
        assert set(tied) == {"train", "val"}
        assert (tied == "val").mean() == pytest.approx(0.125, abs=0.02)
        assert (split.frame["split"][~spanning] == "test").mean() == pytest.approx(0.2, abs=0.03)
        kept = split.frame["split"][spanning & ~free].isin(["test"]).sum()
        assert kept == (both["split"] == "test").sum()

    def test_no_published_test_is_an_error(self, make_groups: MakeGroups) -> None:
        table = make_groups(9).assign(split="train")
        with refuses("published-split-missing", "test"):
            split_manifest(Manifest(table), Shares(), generator(), keep="test")

    def test_a_manifest_that_is_all_test_stays_so(self, make_groups: MakeGroups) -> None:
        table = make_groups(5).assign(split="test")
        split = split_manifest(Manifest(table), Shares(), generator(), keep="test")
        assert set(split.frame["split"]) == {"test"}


class TestKeptSides:
    """Sources whose every side is kept."""

    def test_a_group_on_several_sides_stays_on_the_most_withheld_one(
        self, make_groups: MakeGroups
    ) -> None:
        table = make_groups(4).drop_duplicates("group").reset_index(drop=True)
        table = pd.concat([table, table.assign(path=table["path"] + "x")], ignore_index=True)
        table["sha256"] = [f"{n:064x}" for n in range(8)]
        table["split"] = ["train", "val", "train", "test", "test", "train", "train", "val"]
        sides = draw_sides(table, Shares(), generator(), keep="all")
        assert sides.split.fillna("-").tolist() == [
            "-", "val", "train", "test", "test", "-", "train", "-",
        ]  # fmt: skip
        reasons = sides.reason[sides.split.isna()]
        assert set(reasons) == {"in a group with images that are kept on another side"}
        assert sides.reason[sides.split.notna()].isna().all()

    def test_other_sources_are_drawn_and_blanks_of_such_a_source_are_left_out(
        self, make_groups: MakeGroups
    ) -> None:
        table = make_groups()
        stating = table["source"] == "a"
        stated = pd.Series(np.array(["train", "val", None])[np.arange(len(table)) % 3])
        table["split"] = stated.where(stating, None)
        table["group"] = table["group"].mask(stating, table["path"])
        sides = draw_sides(table, Shares(0.1, 0.2), generator(), keep="all")
        assert (sides.split[stating].fillna("") == stated[stating].fillna("")).all()
        assert set(sides.reason.dropna()) == {
            "its source publishes a split that does not contain it"
        }
        assert sides.reason.notna().sum() == (stating & stated.isna()).sum()
        assert sides.split[~stating].value_counts(normalize=True)["test"] == pytest.approx(
            0.2, abs=0.03
        )

    def test_nothing_to_keep_is_an_error(self, make_groups: MakeGroups) -> None:
        with refuses("published-split-missing", "split"):
            split_manifest(Manifest(make_groups(9)), Shares(), generator(), keep="all")


def test_a_side_that_wants_nothing_gets_nothing(make_groups: MakeGroups) -> None:
    split = split_manifest(Manifest(make_groups(50)), Shares(0.3, 0.0), generator())
    assert set(split.frame["split"]) == {"train", "val"}


@pytest.mark.parametrize("shares", [Shares(0.5, 0.5), Shares(-0.1, 0.2), Shares(float("nan"), 0.2)])
def test_shares_must_leave_something_to_train_on(images: pd.DataFrame, shares: Shares) -> None:
    with refuses("split-shares-invalid"):
        split_manifest(Manifest(images), shares, generator())


def test_what_is_kept_may_leave_nothing_to_draw(make_groups: MakeGroups) -> None:
    table = make_groups(60, largest=1).query("source != 'c'").reset_index(drop=True)
    assert (
        undrawn(Manifest(table), "nothing")
        == undrawn(Manifest(table), "test")
        == undrawn(Manifest(table), "all")
        == ()
    )
    table["split"] = np.where(table.index % 4 == 0, "test", "train")
    assert undrawn(Manifest(table), "nothing") == ()
    assert undrawn(Manifest(table), "test") == ("test",)
    assert undrawn(Manifest(table), "all") == ("val", "test")
    table.loc[table["source"] == "b", "split"] = None
    assert undrawn(Manifest(table), "test") == undrawn(Manifest(table), "all") == ()
    for keep in ("test", "all"):
        drawn = draw_sides(table, Shares(0.2, 0.2), generator(), keep=keep).split
        assert set(drawn[table["source"] == "b"]) == {"train", "val", "test"}
