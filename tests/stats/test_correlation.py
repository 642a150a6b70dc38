import numpy as np
import pytest
from scipy.stats import spearmanr

from pulmo import stats


def test_it_is_that_of_scipy_with_ties() -> None:
    generator = np.random.default_rng(0)
    first = generator.normal(size=80).round(1)
    second = first + generator.normal(size=80).round(1)
    found = stats.spearman(first, second)
    assert found.value == pytest.approx(spearmanr(first, second).statistic)
    assert found.n == 80


def test_its_resamples_are_those_of_repeated_rows() -> None:
    generator = np.random.default_rng(1)
    first, second = generator.normal(size=(2, 30)).round(1)
    found = stats.spearman(first, second, generator=np.random.default_rng(3))
    draws = []
    for child in np.random.default_rng(3).spawn(2000):
        rows = child.integers(30, size=30, dtype=np.uint32)
        draws.append(spearmanr(first[rows], second[rows]).statistic)
    low, high = np.quantile(draws, (0.025, 0.975))
    assert found.low == pytest.approx(low, abs=0.03)  # BCa moves the quantiles a little
    assert found.high == pytest.approx(high, abs=0.03)


def test_groups_of_equal_observations_widen_the_interval() -> None:
    generator = np.random.default_rng(2)
    first, second = generator.normal(size=(2, 20))
    alone = stats.spearman(first, second)
    repeated = stats.spearman(np.repeat(first, 4), np.repeat(second, 4), np.repeat(range(20), 4))
    assert repeated.value == pytest.approx(alone.value)
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))


def test_a_constant_value_has_none() -> None:
    found = stats.spearman([1, 1, 1, 1], [1, 2, 3, 4])
    assert found.value is None
    assert found.reason == "one of the values never differs"
    assert stats.spearman([1, 2], [1, 2]).value is None
