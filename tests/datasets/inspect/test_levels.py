import numpy as np
import pandas as pd

from pulmo.datasets.inspect.levels import levels_of


def test_words_and_few_numbers_are_levels_and_the_rare_are_one() -> None:
    words = pd.Series(["a"] * 6 + ["b"] * 5 + ["c"] * 4 + ["d"], dtype="string")
    rare = levels_of(words)[-1]
    assert pd.crosstab(words, levels_of(words)).max().sort_values().tolist() == [4, 5, 6]
    assert (levels_of(words)[11:] == rare).all()
    assert len(np.unique(levels_of(pd.Series([8] * 5 + [16] * 5, dtype="Int64")))) == 2


def test_many_numbers_are_binned_by_deciles_and_a_frequent_one_stands_alone() -> None:
    assert np.bincount(levels_of(pd.Series(np.arange(1000)))).tolist() == [100] * 10
    values = pd.Series(np.concatenate([np.full(500, 1024), np.arange(500) * 4]))
    levels = levels_of(values)
    assert len(np.unique(levels[:500])) == 1
    assert levels[0] in levels[500:]  # 256 * 4 is 1024 too
    assert np.bincount(np.delete(levels, np.flatnonzero(values == 1024))).max() == 50
