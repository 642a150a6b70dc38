from collections.abc import Callable

import numpy as np
import pandas as pd

from pulmo.datasets.split.assign import Tally, deal, draw_order

MakeGroups = Callable[..., pd.DataFrame]


def test_a_tally_is_the_cross_table(make_groups: MakeGroups) -> None:
    table = make_groups(30)
    table.loc[::7, "label"] = "covid"
    tally = Tally.of(table.sample(frac=1, random_state=0))
    expected = pd.crosstab(table["group"], table["label"] + "\0" + table["source"])
    assert tally.names.tolist() == expected.index.tolist()
    for number, row in enumerate(expected.to_numpy()):
        strata, counts = tally.entries(number)
        np.testing.assert_array_equal(strata, np.flatnonzero(row))
        np.testing.assert_array_equal(counts, row[row > 0])
    np.testing.assert_array_equal(tally.sizes, expected.sum(axis=1))
    mask = np.arange(30) % 2 == 0
    np.testing.assert_array_equal(tally.totals(mask), expected[mask].sum())


def test_no_rows_are_no_groups(make_groups: MakeGroups) -> None:
    tally = Tally.of(make_groups(3)[:0])
    order = draw_order(tally, np.random.default_rng(0))
    assert len(tally.names) == len(order) == len(tally.sizes) == 0
    assert deal(tally, np.zeros((0, 3)), order).tolist() == []


def test_large_groups_come_first(make_groups: MakeGroups) -> None:
    tally = Tally.of(make_groups(30))
    order = draw_order(tally, np.random.default_rng(0))
    assert sorted(order) == list(range(30))
    assert (np.diff(tally.sizes[order]) <= 0).all()
