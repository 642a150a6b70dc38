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
    assert str(Estimate(-0.03, -0.052, -0.004, 9)) == "-0.030 (-0.052 to -0.004)"
    assert str(Estimate(0.5, None, None, 2, "one group")) == "0.500 (no interval: one group)"


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
def test_the_interval_of_a_gap_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = gap(share(*first), share(*second))
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
    assert found.n == first[1] + second[1]


def test_a_gap_of_nothing_says_why() -> None:
    nothing, bare = Estimate.undefined("none", 2), Estimate(0.5, None, None, 3, "one group")
    assert gap(share(1, 2), nothing) == Estimate.undefined("none", 4)
    assert gap(bare, share(1, 4)) == Estimate(0.25, None, None, 7, "one group")
