import pytest
from scipy.stats import binomtest, norm

from pulmo.stats.estimate import Z95, Estimate, average, difference
from pulmo.stats.proportions import wilson


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
def test_the_interval_of_a_difference_is_newcombes(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    found = difference(share(*first), share(*second))
    assert found.value == pytest.approx(first[0] / first[1] - second[0] / second[1])
    assert found.low == pytest.approx(low, abs=1e-4)
    assert found.high == pytest.approx(high, abs=1e-4)
    assert found.n == first[1] + second[1]


def test_a_difference_of_nothing_says_why() -> None:
    nothing, bare = Estimate.undefined("none", 2), Estimate(0.5, None, None, 3, "one group")
    assert difference(share(1, 2), nothing) == Estimate.undefined("none", 4)
    assert difference(bare, share(1, 4)) == Estimate(0.25, None, None, 7, "one group")


def test_a_mean_lies_between_and_its_interval_is_narrower_than_the_sum() -> None:
    first, second = share(45, 50), share(160, 200)
    mean = average(first, second)
    assert mean.value == pytest.approx(0.85)
    assert mean.n == 250
    assert first.low is not None
    assert second.low is not None
    assert mean.low == pytest.approx(
        0.85 - ((0.9 - first.low) ** 2 + (0.8 - second.low) ** 2) ** 0.5 / 2
    )


def test_equal_parts_of_large_samples_have_the_usual_interval() -> None:
    mean = average(share(5000, 10000), share(5000, 10000))
    assert mean.low == pytest.approx(0.5 - 1.96 * (0.25 / 20000) ** 0.5, abs=1e-4)


def test_what_a_part_lacks_the_mean_lacks() -> None:
    some = share(1, 2)
    undefined = Estimate.undefined("there is no covid")
    assert average(some, undefined).reason == "there is no covid"
    bare = Estimate(0.5, None, None, 0, "not stated")
    assert average(bare, some).value == 0.5
    assert average(bare, some).low is None


def test_another_scale_moves_value_and_ends() -> None:
    accuracy = Estimate(0.75, 0.6, 0.9, 40)
    assert accuracy.rescaled(zero=0.5, one=1.0)[:4] == pytest.approx((0.5, 0.2, 0.8, 40))
    error = accuracy.rescaled(zero=1.0, one=0.0)
    assert error[:4] == pytest.approx((0.25, 0.1, 0.4, 40))
    assert Estimate.undefined("none", 3).rescaled(0.0, 2.0) == Estimate.undefined("none", 3)


def test_a_taken_interval_leaves_a_reason() -> None:
    bare = Estimate(0.75, 0.6, 0.9, 40).without_interval("one group")
    assert bare == Estimate(0.75, None, None, 40, "one group")
    assert Estimate.undefined("none").without_interval("one group").reason == "none"
