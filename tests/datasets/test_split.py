import numpy as np
import pandas as pd
import pytest

from pulmo.core.errors import RefusedError, UsageError
from pulmo.datasets.split import Shares, check_split, split_manifest


def make(films: pd.DataFrame, groups: int = 600, *, seed: int = 0) -> pd.DataFrame:
    """A manifest of `groups` groups of one to six pictures, five strata of unequal size."""
    generator = np.random.default_rng(seed)
    strata = [("covid", "a"), ("normal", "a"), ("viral", "b"), ("normal", "b"), ("other", "c")]
    chosen = generator.choice(5, groups, p=[0.5, 0.25, 0.15, 0.08, 0.02])
    sizes = generator.integers(1, 7, groups)
    member = np.repeat(np.arange(groups), sizes)
    base = films.iloc[np.zeros(len(member), int)].reset_index(drop=True)
    return base.assign(
        path=[f"/{n}" for n in range(len(member))],
        sha256=[f"{n:064x}" for n in range(len(member))],
        pixels_sha256=None,
        group=[f"g{n}" for n in member],
        patient=None,
        label=[strata[chosen[n]][0] for n in member],
        source=[strata[chosen[n]][1] for n in member],
        split=None,
    )


def test_groups_stay_whole_and_every_stratum_gets_its_share(films: pd.DataFrame) -> None:
    table = split_manifest(make(films), Shares(0.1, 0.2), np.random.default_rng(0))
    check_split(table)
    assert len(table.drop_duplicates(["group", "split"])) == table["group"].nunique()
    for _, stratum in table.groupby(["label", "source"]):
        shares = stratum["split"].value_counts(normalize=True)
        assert shares["val"] == pytest.approx(0.1, abs=0.05)
        assert shares["test"] == pytest.approx(0.2, abs=0.05)


def test_a_split_depends_on_the_seed_and_not_on_the_row_order(films: pd.DataFrame) -> None:
    table = make(films, 100)

    def sides(rows: pd.DataFrame, seed: int) -> dict[str, str]:
        split = split_manifest(rows, Shares(), np.random.default_rng(seed))
        return dict(zip(split["path"], split["split"], strict=True))

    assert sides(table, 1) == sides(table.sample(frac=1, random_state=0), 1)
    assert sides(table, 1) != sides(table, 2)


def test_an_official_test_is_kept_and_its_groups_leave_training(films: pd.DataFrame) -> None:
    table = make(films)
    official = (table["source"] == "a") & (np.arange(len(table)) % 7 == 0)
    table["split"] = official.map({True: "test", False: "train"})
    split = split_manifest(table, Shares(0.1, 0.2), np.random.default_rng(0), keep_test=True)
    assert split["path"].tolist() == table["path"].tolist()
    a = (split["source"] == "a").to_numpy()
    assert ((split["split"] == "test")[a] == official[a]).all()
    held = split["group"].isin(split["group"][official]) & ~official
    assert held.any()
    assert split["split"][held].isna().all()
    assert split["split"][~held].notna().all()
    assert 0.15 < (split["split"] == "test")[~a].mean() < 0.25
    check_split(split)


def test_a_group_that_spans_a_source_with_a_test_and_one_without_is_on_one_side(
    films: pd.DataFrame,
) -> None:
    """As of a picture that both sources copied from a third."""
    table = make(films)
    table["split"] = ((table["source"] == "a") & (np.arange(len(table)) % 29 == 0)).map(
        {True: "test", False: None}
    )
    copies = table[table["source"] == "a"].assign(source="b", split=None)
    copies["path"] = "/copy" + copies["path"]
    both = pd.concat([table, copies], ignore_index=True)
    split = split_manifest(both, Shares(0.1, 0.2), np.random.default_rng(0), keep_test=True)
    check_split(split)
    spanning = both["group"].isin(copies["group"])
    free = ~both["group"].isin(both["group"][both["split"] == "test"])
    assert set(split["split"][spanning & free]) == {"train", "val"}
    assert (split["split"][spanning & free] == "val").mean() == pytest.approx(0.125, abs=0.02)
    assert (split["split"][~spanning] == "test").mean() == pytest.approx(0.2, abs=0.03)
    assert split["split"][spanning & ~free].isin(["test"]).sum() == (both["split"] == "test").sum()


def test_a_manifest_that_is_all_test_stays_so(films: pd.DataFrame) -> None:
    table = make(films, 5).assign(split="test")
    split = split_manifest(table, Shares(), np.random.default_rng(0), keep_test=True)
    assert set(split["split"]) == {"test"}


def test_a_side_that_wants_nothing_gets_nothing(films: pd.DataFrame) -> None:
    split = split_manifest(make(films, 50), Shares(0.3, 0.0), np.random.default_rng(0))
    assert set(split["split"]) == {"train", "val"}


@pytest.mark.parametrize("shares", [Shares(0.5, 0.5), Shares(-0.1, 0.2)])
def test_shares_must_leave_something_to_train_on(films: pd.DataFrame, shares: Shares) -> None:
    with pytest.raises(UsageError, match="leave some pictures for training"):
        split_manifest(films, shares, np.random.default_rng(0))


def test_a_patient_on_two_sides_is_refused_by_name(films: pd.DataFrame) -> None:
    check_split(films)
    shared = films["group"].value_counts()
    name = shared.index[shared > 1][0]
    rows = films.index[films["group"] == name]
    films.loc[rows[0], "split"] = "train"
    films.loc[rows[1:], "split"] = "test"
    with pytest.raises(RefusedError, match="1 group is on two sides") as caught:
        check_split(films)
    assert f"{films['path'][rows[0]]} (train)" in str(caught.value)
    assert f"such as {name}: " in str(caught.value)


def test_a_patient_whose_pictures_are_in_two_groups_is_refused_by_name(
    films: pd.DataFrame,
) -> None:
    table = make(films, 4).drop_duplicates("group").reset_index(drop=True)
    table["split"] = ["train", "test", "train", "test"]
    table["source"] = ["x", "x", "y", "x"]
    table["patient"] = ["p1", None, "p1", None]
    check_split(table)
    table.loc[3, "patient"] = "p1"
    with pytest.raises(RefusedError, match="1 patient is on two sides, such as x:p1: ") as caught:
        check_split(table)
    assert f"{table['path'][3]} (test), {table['path'][0]} (train)" in str(caught.value)
    assert "pulmo data merge" in str(caught.value)


def test_an_identical_picture_on_two_sides_is_refused(films: pd.DataFrame) -> None:
    sides = [films.index[films["split"] == side][:2] for side in ("train", "val")]
    for train, val in zip(*sides, strict=True):
        films.loc[val, "sha256"] = films.loc[train, "sha256"]
    with pytest.raises(RefusedError, match="2 identical pictures are on two sides"):
        check_split(films)
