import numpy as np
import pytest
from scipy.stats import binomtest, ttest_1samp

from pulmo.predictions.estimates import mean_estimate, share_estimate


def test_a_share_counts_each_group_once_for_its_interval() -> None:
    hits = np.array([True, True, True, False])
    alone = share_estimate(hits, np.arange(4))
    low, high = binomtest(3, 4).proportion_ci(method="wilson")
    assert alone == pytest.approx((0.75, low, high, 4, None)) or alone[:4] == pytest.approx(
        (0.75, low, high, 4)
    )
    paired = share_estimate(hits, np.array([0, 0, 1, 1]))
    assert paired.value == 0.75
    assert paired.low is not None
    assert alone.low is not None
    assert paired.low < alone.low
    assert share_estimate(hits[:0], np.arange(0)).reason == "there is no such picture"


def test_a_mean_of_unclustered_values_has_student_s_interval() -> None:
    values = np.array([1.0, 2, 2, 3, 1, 4])
    found = mean_estimate(values, np.arange(6))
    expected = ttest_1samp(values, 0).confidence_interval()
    assert found[:4] == pytest.approx((values.mean(), expected.low, expected.high, 6))


def test_a_mean_of_copies_has_the_interval_of_one_each() -> None:
    values = np.array([1.0, 2, 2, 3, 1, 4])
    once = mean_estimate(values, np.arange(6))
    twice = mean_estimate(np.tile(values, 2), np.tile(np.arange(6), 2))
    assert twice[:3] == pytest.approx(once[:3])
    assert mean_estimate(values, np.zeros(6, np.intp)).low is None
