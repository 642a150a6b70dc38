import warnings
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split import Plan, assign, check_split, draw, validate_on
from pulmo.datasets.split.assign import Tally, deal, draw_order, even_out, unevenness
from pulmo.datasets.split.folds import draw_folds

MakeGroups = Callable[..., pd.DataFrame]


def badness(table: pd.DataFrame, fold: pd.Series) -> float:
    """The sum of (images - aim)² / aim over folds and strata."""
    counts = pd.crosstab([table["label"], table["source"]], fold).to_numpy()
    aim = counts.sum(axis=1, keepdims=True) / counts.shape[1]
    return float(((counts - aim) ** 2 / aim).sum())


def of_scikit_learn(table: pd.DataFrame, folds: int, seed: int) -> pd.Series:
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    strata = (table["label"] + table["source"]).to_numpy(str)
    fold = pd.Series(-1, table.index)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # strata with fewer images than folds
        for number, (_, rows) in enumerate(splitter.split(strata, strata, table["group"])):
            fold.iloc[rows] = number
    return fold


@pytest.mark.parametrize(
    ("groups", "largest", "folds"), [(300, 6, 5), (200, 6, 10), (60, 20, 3), (40, 40, 5)]
)
def test_folds_are_whole_groups_and_no_less_even_than_scikit_learns(
    make_groups: MakeGroups, groups: int, largest: int, folds: int
) -> None:
    ours, theirs = [], []
    for seed in range(4):
        table = make_groups(groups, seed=seed, largest=largest)
        if seed % 2:
            # Some groups hold several labels, as a patient who recovers does.
            table.loc[table.index % 11 == 0, "label"] = "normal"
        fold = draw_folds(table, folds, np.random.default_rng(seed))
        assert sorted(fold.unique()) == list(range(folds))
        assert len(pd.concat([table["group"], fold], axis=1).drop_duplicates()) == groups
        ours.append(badness(table, fold))
        theirs.append(badness(table, of_scikit_learn(table, folds, seed)))
    assert np.mean(ours) <= np.mean(theirs) + 1e-9
    assert all(ours <= 1.02 * np.array(theirs))


def test_evening_out_helps_and_stops(make_groups: MakeGroups) -> None:
    """Moves must not make things worse, and a second call changes nothing."""
    table = make_groups(50, largest=30)
    tally = Tally.of(table)
    order = draw_order(tally, np.random.default_rng(0))
    dealt = deal(tally, np.full((50, 4), 0.25), order)
    evened = even_out(tally, dealt, 4, order)
    for sides in (dealt, evened):
        fold = table["group"].map(dict(zip(tally.names, sides, strict=True)))
        assert unevenness(tally, sides, 4) == pytest.approx(badness(table, fold))
    assert unevenness(tally, evened, 4) <= unevenness(tally, dealt, 4)
    np.testing.assert_array_equal(even_out(tally, evened, 4, order), evened)


def test_evening_out_takes_more_than_one_pass_if_it_needs_it(
    make_groups: MakeGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = make_groups(300)
    table.loc[table.index % 3 == 0, "label"] = "normal"
    tally = Tally.of(table)
    order = draw_order(tally, np.random.default_rng(0))
    halves = np.arange(300) // 150
    whole = even_out(tally, halves, 5, order)
    monkeypatch.setattr(assign, "_PASSES", 1)
    once = even_out(tally, halves, 5, order)
    assert unevenness(tally, whole, 5) < unevenness(tally, once, 5) < unevenness(tally, halves, 5)


def test_folds_depend_on_the_seed_and_not_on_the_row_order(make_groups: MakeGroups) -> None:
    table = make_groups(100)

    def folds(rows: pd.DataFrame, seed: int) -> dict[str, int]:
        drawn = draw(Manifest(rows), Plan(seed=seed, folds=4)).manifest
        return dict(zip(drawn.frame["path"], drawn.frame["fold"].fillna(-1), strict=True))

    assert folds(table, 1) == folds(table.sample(frac=1, random_state=0), 1)
    assert folds(table, 1) != folds(table, 2)


def test_one_fold_is_val_and_the_others_train(make_groups: MakeGroups) -> None:
    table = make_groups(100)
    for fold in (0, 2):
        drawn = draw(Manifest(table), Plan(folds=3, fold=fold)).manifest
        check_split(drawn)
        sides = drawn.frame.groupby("fold")["split"].unique().map(list)
        assert sides.to_dict() == {each: ["val" if each == fold else "train"] for each in range(3)}
        assert set(drawn.frame["split"][drawn.frame["fold"].isna()]) == {"test"}
    first = draw(Manifest(table), Plan(folds=3)).manifest
    assert first.frame["fold"].equals(drawn.frame["fold"])
    assert validate_on(first, 2) == drawn


def test_a_fold_that_is_not_there(make_groups: MakeGroups) -> None:
    with refuses("fold-unknown", "3", "its folds are 0 to 2"):
        draw(Manifest(make_groups(50)), Plan(folds=3, fold=3))
    with refuses("fold-unknown", "0", "it has no folds"):
        validate_on(Manifest(make_groups(5)), 0)


def test_too_few_groups(make_groups: MakeGroups) -> None:
    with refuses("folds-too-many", "5", "4"):
        draw(Manifest(make_groups(4)), Plan(folds=5, test=0))
