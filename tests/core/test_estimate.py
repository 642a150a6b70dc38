import pytest
from scipy.stats import binomtest, norm

from pulmo.core.estimate import Z95, Estimate, wilson


@pytest.mark.parametrize(("hits", "n"), [(253, 265), (61, 65), (9, 10), (0, 5), (7, 7), (1, 3)])
def test_wilson_equals_scipys(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_gives_the_published_interval() -> None:
    low, high = wilson(253 / 265, 265)
    assert (round(low, 3), round(high, 3)) == (0.923, 0.974)


def test_z_is_the_normal_percentile() -> None:
    assert pytest.approx(norm.ppf(0.975)) == Z95


def test_an_estimate_prints_itself() -> None:
    assert str(Estimate(0.95471, 0.9226, 0.9739, 265)) == "0.955 (0.923-0.974)"
    assert str(Estimate.undefined("no positives")) == "undefined (no positives)"
    assert str(Estimate(0.5, None, None, 2, "one group")) == "0.500 (no interval: one group)"
