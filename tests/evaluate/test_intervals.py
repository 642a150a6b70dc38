import numpy as np
import pytest

from pulmo.core.estimate import wilson
from pulmo.evaluate.intervals import effective_size, proportion_estimate


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
