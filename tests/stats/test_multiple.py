import numpy as np
import pytest
from scipy.stats import norm

from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import chance_above, holm, significantly_above


def test_without_an_interval_nothing_is_sure() -> None:
    nothing, bare = Estimate.undefined("none", 2), Estimate(0.5, None, None, 3, "one group")
    assert chance_above(nothing, 0.0) == chance_above(bare, 0.0) == 1.0


def test_the_chance_is_that_of_the_intervals_lower_side() -> None:
    estimate = Estimate(0.3, 0.3 - 0.1 * norm.ppf(0.975), 0.35, 9)
    assert chance_above(estimate, 0.1) == pytest.approx(norm.sf(2))
    assert chance_above(estimate, estimate.low or 0) == pytest.approx(0.025)
    exact = Estimate(0.3, 0.3, 0.3, 9)
    assert [chance_above(exact, bound) for bound in (0.2, 0.3, 0.4)] == [0.0, 1.0, 1.0]


def test_holms_adjustment_steps_down() -> None:
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_more_tests_need_more() -> None:
    estimate = Estimate(0.2, 0.01, 0.39, 100)
    assert significantly_above([estimate], 0.0).tolist() == [True]
    assert significantly_above([estimate, *[Estimate(0.0, -0.2, 0.2, 100)] * 9], 0.0).sum() == 0


def test_false_alarms_are_as_rare_as_said() -> None:
    generator = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        values = generator.normal(scale=0.1, size=8)
        reach = 0.1 * norm.ppf(0.975)
        estimates = [Estimate(v, v - reach, v + reach, 9) for v in values]
        alarms += int(significantly_above(estimates, 0.0).any())
    assert alarms <= 20
