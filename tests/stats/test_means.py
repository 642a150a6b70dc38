import math

import numpy as np
import pytest
from scipy import stats

from pulmo.stats.means import corrected_mean, mean

VALUES = [0.81, 0.9, 0.84, 0.87, 0.95]


def test_without_a_ratio_it_is_students_interval() -> None:
    expected = stats.ttest_1samp(VALUES, 0).confidence_interval(0.95)
    estimate = corrected_mean(VALUES, 0.0)
    assert estimate.n == 5
    assert estimate.value == pytest.approx(np.mean(VALUES))
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high))


def test_shared_training_images_widen_it_as_nadeau_and_bengio_say() -> None:
    """Of five folds, one tests and three train: 1/5 + 1/3 in place of 1/5."""
    plain, corrected = corrected_mean(VALUES, 0.0), corrected_mean(VALUES, 1 / 3)
    assert plain.high is not None
    assert corrected.high is not None
    assert plain.value is not None
    assert corrected.value == plain.value
    widening = (corrected.high - plain.value) / (plain.high - plain.value)
    assert widening == pytest.approx(math.sqrt((1 / 5 + 1 / 3) / (1 / 5)))


def test_it_covers_the_truth_where_students_interval_does_not() -> None:
    """Runs correlate by n_test / (n_test + n_train), which the correction assumes."""
    generator, folds, ratio = np.random.default_rng(0), 5, 1 / 3
    rho = ratio / (1 + ratio)
    shared = generator.normal(size=(2000, 1)) * math.sqrt(rho)
    runs = shared + generator.normal(size=(2000, folds)) * math.sqrt(1 - rho)
    covered = {
        given: np.mean([(e.low or 0) <= 0 <= (e.high or 0) for e in _estimates(runs, given)])
        for given in (0.0, ratio)
    }
    assert covered[0.0] < 0.9
    assert covered[ratio] == pytest.approx(0.95, abs=0.015)


def _estimates(runs: np.ndarray, ratio: float) -> list:  # type: ignore[type-arg]
    return [corrected_mean(row, ratio) for row in runs]


def test_the_ends_stay_within_the_figures_bounds() -> None:
    estimate = corrected_mean([0.9, 1.0, 0.95], 0.5, (0.0, 1.0))
    assert estimate.high == 1.0
    assert corrected_mean([0.0, 0.1], 0.5, (0.0, 1.0)).low == 0.0


@pytest.mark.parametrize(
    ("values", "value", "reason"),
    [
        ([], None, "no run has a value"),
        ([0.5], 0.5, "one run does not show how runs differ"),
        ([0.5, 0.5], 0.5, "all runs have the same value"),
    ],
)
def test_what_shows_no_spread_has_no_interval(
    values: list[float], value: float | None, reason: str
) -> None:
    estimate = corrected_mean(values, 0.3)
    assert estimate == (value, None, None, len(values), reason)


def test_a_mean_of_unclustered_values_has_student_s_interval() -> None:
    values = np.array([1.0, 2, 2, 3, 1, 4])
    found = mean(values, np.arange(6))
    expected = stats.ttest_1samp(values, 0).confidence_interval()
    assert found[:4] == pytest.approx((values.mean(), expected.low, expected.high, 6))


def test_a_mean_of_copies_has_the_interval_of_one_each() -> None:
    values = np.array([1.0, 2, 2, 3, 1, 4])
    once = mean(values, np.arange(6))
    twice = mean(np.tile(values, 2), np.tile(np.arange(6), 2))
    assert twice[:3] == pytest.approx(once[:3])
    assert mean(values, np.zeros(6, np.intp)).low is None
