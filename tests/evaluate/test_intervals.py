import numpy as np
import pytest
from scipy.stats import binomtest

from pulmo.evaluate.intervals import effective_size, proportion_estimate, wilson


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


def test_pictures_of_different_groups_count_in_full() -> None:
    assert effective_size(np.arange(40) < 30, np.arange(40)) == 40


def test_copies_add_nothing() -> None:
    hits = np.arange(100) < 80
    size = effective_size(np.repeat(hits, 5), np.repeat(np.arange(100), 5))
    assert 97 < size < 100


def test_groups_count_once_where_all_pictures_are_alike() -> None:
    groups = np.repeat(np.arange(7), 3)
    assert effective_size(np.ones(21, np.bool_), groups) == 7
    assert effective_size(np.zeros(21, np.bool_), groups) == 7


def test_pictures_that_differ_within_their_groups_count_no_more_than_in_full() -> None:
    hits = np.tile([True, False], 50)
    assert 90 < effective_size(hits, np.repeat(np.arange(50), 2)) <= 100


def test_the_effective_size_agrees_with_resampled_groups(generator: np.random.Generator) -> None:
    sizes = generator.integers(1, 6, size=300)
    groups = np.repeat(np.arange(300), sizes)
    hits = generator.random(len(groups)) < generator.beta(2, 1, size=300)[groups]
    totals = np.bincount(groups, weights=hits)
    drawn = generator.integers(300, size=(4000, 300))
    spread = (totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)).var()
    expected = hits.mean() * (1 - hits.mean()) / spread
    assert effective_size(hits, groups) == pytest.approx(expected, rel=0.08)


def test_the_interval_covers_as_it_says_when_pictures_cluster(
    generator: np.random.Generator,
) -> None:
    truth, plain, clustered = 0.8, 0, 0
    for _ in range(2000):
        groups = np.repeat(np.arange(60), generator.integers(1, 6, size=60))
        hits = generator.random(len(groups)) < generator.beta(1.2, 0.3, size=60)[groups]
        estimate = proportion_estimate(hits, groups, "")
        assert estimate.low is not None
        assert estimate.high is not None
        clustered += estimate.low <= truth <= estimate.high
        low, high = wilson(float(hits.mean()), len(hits))
        plain += low <= truth <= high
    assert 0.93 <= clustered / 2000 <= 0.97
    assert plain / 2000 < 0.85


def test_no_pictures_have_no_share() -> None:
    estimate = proportion_estimate(np.zeros(0, np.bool_), np.zeros(0, np.intp), "nothing here")
    assert estimate == (None, None, None, 0, "nothing here")


def test_several_pictures_of_one_group_have_no_interval() -> None:
    estimate = proportion_estimate(np.array([True, False]), np.array([3, 3]), "")
    assert estimate[:4] == (0.5, None, None, 2)
    assert estimate.reason == "its 2 pictures are of one patient or group"


def test_one_picture_has_a_wide_interval() -> None:
    value, low, high, n, reason = proportion_estimate(np.array([True]), np.array([3]), "")
    assert (value, n, reason) == (1.0, 1, None)
    assert (low, high) == pytest.approx((0.2065, 1.0), abs=1e-4)
