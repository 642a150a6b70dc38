import pytest
from scipy.stats import binomtest, norm

from pulmo.core.estimate import Z95, Estimate, gap, wilson


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (0, 12), (1, 3), (8, 10), (50, 50), (700, 1000)])
def test_wilson_is_scipys(hits: int, n: int) -> None:
    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(253, 265, 0.923, 0.974), (61, 65, 0.852, 0.976), (8, 10, 0.490, 0.943)],
)
def test_wilson_is_as_published(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits / n, n) == pytest.approx((low, high), abs=6e-4)


@pytest.mark.parametrize("share", [0.0, 1.0, 1 / 3])
@pytest.mark.parametrize("n", [1, 2.5, 7, 10**6])
def test_wilson_holds_the_share_and_stays_within_0_and_1(share: float, n: float) -> None:
    low, high = wilson(share, n)
    assert 0 <= low <= share <= high <= 1
    assert low < high


def test_z_is_the_normal_percentile() -> None:
    assert pytest.approx(norm.ppf(0.975)) == Z95


def test_an_estimate_prints_itself() -> None:
    assert str(Estimate(0.95471, 0.9226, 0.9739, 265)) == "0.955 (0.923-0.974)"
    assert str(Estimate.undefined("no positives")) == "undefined (no positives)"
    assert str(Estimate(0.5, None, None, 2, "one group")) == "0.500 (no interval: one group)"


def test_a_gap_of_proportions_is_newcombes() -> None:
    """Newcombe 1998, table II, example (a), method 10."""
    first, second = (Estimate(k / n, *wilson(k / n, n), n) for k, n in ((56, 70), (48, 80)))
    found = gap(first, second)
    assert found[:3] == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert found.n == 150
    assert gap(second, first)[:3] == pytest.approx((-0.2, -0.3339, -0.0524), abs=5e-5)


def test_a_gap_of_nothing_says_why() -> None:
    sure, bare = Estimate(0.5, 0.4, 0.6, 9), Estimate(0.25, None, None, 1, "one group")
    assert gap(sure, Estimate.undefined("no positives")).reason == "no positives"
    assert gap(sure, bare) == Estimate(0.25, None, None, 10, "one of both has no interval")
