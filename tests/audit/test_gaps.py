import numpy as np
import pytest
from scipy.stats import norm

from pulmo.audit.gaps import chance_above, gap, holm, surely_above
from pulmo.core.estimate import Estimate, wilson


def share(hits: int, n: int) -> Estimate:
    return Estimate(hits / n, *wilson(hits / n, n), n)


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        # Newcombe 1998, table II, method 10.
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((10, 10), (0, 10), 0.6075, 1.0000),
    ],
)
def test_the_interval_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = gap(share(*first), share(*second))
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
    assert found.n == first[1] + second[1]


def test_what_is_undefined_stays_so() -> None:
    nothing, bare = Estimate.undefined("none", 2), Estimate(0.5, None, None, 3, "one group")
    assert gap(share(1, 2), nothing) == Estimate.undefined("none", 4)
    assert gap(bare, share(1, 4)) == Estimate(0.25, None, None, 7, "one group")
    assert chance_above(nothing, 0.0) == chance_above(bare, 0.0) == 1.0


def test_the_chance_is_that_of_the_intervals_lower_side() -> None:
    figure = Estimate(0.3, 0.3 - 0.1 * norm.ppf(0.975), 0.35, 9)
    assert chance_above(figure, 0.1) == pytest.approx(norm.sf(2))
    assert chance_above(figure, figure.low or 0) == pytest.approx(0.025)
    exact = Estimate(0.3, 0.3, 0.3, 9)
    assert [chance_above(exact, bound) for bound in (0.2, 0.3, 0.4)] == [0.0, 1.0, 1.0]


def test_holms_adjustment_steps_down() -> None:
    # As `p.adjust(p, "holm")` of R gives it.
    adjusted = holm([0.01, 0.04, 0.03, 0.005])
    np.testing.assert_allclose(adjusted, [0.03, 0.06, 0.06, 0.02])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    assert holm([]).tolist() == []


def test_more_tests_need_more() -> None:
    figure = Estimate(0.2, 0.01, 0.39, 100)
    assert surely_above([figure], 0.0).tolist() == [True]
    assert surely_above([figure, *[Estimate(0.0, -0.2, 0.2, 100)] * 9], 0.0).sum() == 0


def test_false_alarms_are_as_rare_as_said() -> None:
    generator = np.random.default_rng(1)
    alarms = 0
    for _ in range(400):
        values = generator.normal(scale=0.1, size=8)
        reach = 0.1 * norm.ppf(0.975)
        figures = [Estimate(v, v - reach, v + reach, 9) for v in values]
        alarms += int(surely_above(figures, 0.0).any())
    assert alarms <= 20
