from math import exp, log

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit, logit
from sklearn.metrics import balanced_accuracy_score

from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import (
    Proportion,
    balanced_accuracy,
    effective_size,
    predictive_value,
    proportion,
    ratio,
    wilson,
)


def size_of(hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> float:
    return effective_size(hits, groups, np.zeros(len(hits), np.intp))


def test_images_of_different_groups_count_in_full() -> None:
    assert size_of(np.arange(40) < 30, np.arange(40)) == 40


def test_copies_add_nothing() -> None:
    hits = np.arange(100) < 80
    size = size_of(np.repeat(hits, 5), np.repeat(np.arange(100), 5))
    assert 97 < size < 100


def test_groups_count_once_where_all_images_are_alike() -> None:
    groups = np.repeat(np.arange(7), 3)
    assert size_of(np.ones(21, np.bool_), groups) == 7
    assert size_of(np.zeros(21, np.bool_), groups) == 7


def test_images_that_differ_within_their_groups_count_no_more_than_in_full() -> None:
    hits = np.tile([True, False], 50)
    assert 90 < size_of(hits, np.repeat(np.arange(50), 2)) <= 100


def test_the_effective_size_agrees_with_resampled_groups(generator: np.random.Generator) -> None:
    sizes = generator.integers(1, 6, size=300)
    groups = np.repeat(np.arange(300), sizes)
    hits = generator.random(len(groups)) < generator.beta(2, 1, size=300)[groups]
    totals = np.bincount(groups, weights=hits)
    drawn = generator.integers(300, size=(4000, 300))
    spread = (totals[drawn].sum(axis=1) / sizes[drawn].sum(axis=1)).var()
    expected = hits.mean() * (1 - hits.mean()) / spread
    assert size_of(hits, groups) == pytest.approx(expected, rel=0.08)


def test_the_interval_covers_as_it_says_when_images_cluster(
    generator: np.random.Generator,
) -> None:
    truth, plain, clustered = 0.8, 0, 0
    for _ in range(2000):
        groups = np.repeat(np.arange(60), generator.integers(1, 6, size=60))
        hits = generator.random(len(groups)) < generator.beta(1.2, 0.3, size=60)[groups]
        estimate = proportion(hits, groups)
        assert estimate.low is not None
        assert estimate.high is not None
        clustered += estimate.low <= truth <= estimate.high
        low, high = wilson(float(hits.mean()), len(hits))
        plain += low <= truth <= high
    assert 0.93 <= clustered / 2000 <= 0.97
    assert plain / 2000 < 0.85


def test_no_images_have_no_share() -> None:
    estimate = proportion(np.zeros(0, np.bool_), np.zeros(0, np.intp), undefined="nothing here")
    assert estimate == (None, None, None, 0, "nothing here")


def test_several_images_of_one_group_have_no_interval() -> None:
    estimate = proportion(np.array([True, False]), np.array([3, 3]))
    assert estimate[:4] == (0.5, None, None, 2)
    assert estimate.reason == "all observations are of one group"


def test_one_image_has_a_wide_interval() -> None:
    value, low, high, n, reason = proportion(np.array([True]), np.array([3]))
    assert (value, n, reason) == (1.0, 1, None)
    assert (low, high) == pytest.approx((0.2065, 1.0), abs=1e-4)


def share(hits: int, n: int) -> Proportion:
    return Proportion.from_hits(np.arange(n) < hits, np.arange(n))


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilsons_interval_is_newcombes(hits: int, n: int, low: float, high: float) -> None:
    """Newcombe 1998, table I, method 3."""
    estimate = share(hits, n).estimate("")
    assert estimate[1:3] == pytest.approx((low, high), abs=5e-5)


class TestLiverScan:
    """Altman and Bland 1994 (BMJ 308:1552, 309:102): 231 of 258 abnormal, 54 of 86 normal."""

    sensitivity = share(231, 258)
    specificity = share(54, 86)

    def test_the_figures_are_those_of_the_paper(self) -> None:
        assert self.sensitivity.value == pytest.approx(0.90, abs=0.005)
        assert self.specificity.value == pytest.approx(0.63, abs=0.005)
        found = ratio(self.sensitivity, self.specificity.complement)
        assert found.value == pytest.approx(2.4, abs=0.05)
        positive = predictive_value(self.sensitivity, self.specificity.complement, 0.25)
        negative = predictive_value(self.specificity, self.sensitivity.complement, 0.75)
        assert positive.value == pytest.approx(0.45, abs=0.005)
        assert negative.value == pytest.approx(0.95, abs=0.005)
        at_hand = predictive_value(self.sensitivity, self.specificity.complement, 258 / 344)
        assert at_hand.value == pytest.approx(231 / 263)

    def test_the_intervals_are_those_of_the_logarithm(self) -> None:
        found = ratio(self.sensitivity, self.specificity.complement)
        error = (1 / 231 - 1 / 258 + 1 / 32 - 1 / 86) ** 0.5
        centre = log(231 / 258 / (32 / 86))
        assert found.low == pytest.approx(exp(centre - 1.959964 * error))
        assert found.high == pytest.approx(exp(centre + 1.959964 * error))
        assert found.n == 344
        # Mercaldo, Lau and Zhou 2007, equation 9: the logit of the predictive value.
        variance = (27 / 258) / (231 / 258 * 258) + (54 / 86) / (32 / 86 * 86)
        value, low, high, *_ = predictive_value(self.sensitivity, self.specificity.complement, 0.25)
        assert value is not None
        ends = expit(logit(value) + np.array([-1.959964, 1.959964]) * variance**0.5)
        assert (low, high) == pytest.approx(tuple(ends))


def test_a_ratio_covers_as_it_says(generator: np.random.Generator) -> None:
    covered = 0
    for _ in range(2000):
        above, below = share(generator.binomial(80, 0.8), 80), generator.binomial(120, 0.2)
        found = ratio(above, share(below, 120))
        assert found.low is not None
        assert found.high is not None
        covered += found.low <= 4 <= found.high
    assert 0.935 <= covered / 2000 <= 0.965


def test_ratios_without_an_interval_or_a_value_say_why() -> None:
    none, half = Proportion(None, 0, None), share(5, 10)
    assert ratio(none, half, undefined="why") == Estimate.undefined("why", 10)
    assert ratio(half, none, undefined="why") == Estimate.undefined("why", 10)
    assert ratio(half, share(0, 9), undefined="why") == Estimate.undefined("why", 19)
    assert ratio(share(0, 9), half, undefined="why")[:4] == (0.0, None, None, 19)
    full = ratio(share(9, 9), share(8, 8), undefined="why")
    assert full[:4] == (1.0, None, None, 17)
    assert full.reason == "both shares are 1, so the uncertainty of their ratio cannot be estimated"
    one = Proportion.from_hits(np.array([True, False]), np.zeros(2, np.intp))
    for sides in ((one, half), (half, one)):
        estimate = ratio(*sides, undefined="why")
        assert estimate[:4] == (1.0, None, None, 12)
        assert estimate.reason == "all observations are of one group"


def test_predictive_values_without_an_interval_or_a_value_say_why() -> None:
    none, half, zero = Proportion(None, 0, None), share(5, 10), share(0, 8)
    for sides in ((none, half), (half, none)):
        estimate = predictive_value(*sides, 0.1)
        assert str(estimate) == "undefined (it needs positive and negative images)"
    assert str(predictive_value(zero, zero, 0.1)) == "undefined (nothing is predicted as such)"
    assert predictive_value(half, zero, 0.1)[:3] == (1.0, None, None)
    assert predictive_value(zero, half, 0.1)[:3] == (0.0, None, None)
    assert none.complement.value is None


@pytest.fixture
def labels() -> NDArray[np.str_]:
    return np.random.default_rng(0).choice(["covid", "normal", "viral"], 300, p=[0.2, 0.5, 0.3])


class TestBalancedAccuracy:
    """The mean of the classes' shares, and its interval."""

    def test_independent_images_have_wilsons(self) -> None:
        hits = np.random.default_rng(0).random(500) < 0.8
        share = balanced_accuracy(hits, np.zeros(500, int), np.arange(500))
        assert share[:3] == pytest.approx((hits.mean(), *wilson(hits.mean(), 500)), abs=1e-3)
        assert share.n == 500

    def test_the_mean_over_classes_is_the_balanced_accuracy(self, labels: NDArray[np.str_]) -> None:
        guesses = np.where(np.random.default_rng(1).random(300) < 0.6, labels, "normal")
        strata = np.unique(labels, return_inverse=True)[1]
        share = balanced_accuracy(labels == guesses, strata, np.arange(300))
        assert share.value == pytest.approx(balanced_accuracy_score(labels, guesses))

    def test_the_interval_is_that_of_a_bootstrap_over_groups(
        self, labels: NDArray[np.str_]
    ) -> None:
        generator = np.random.default_rng(1)
        groups = np.arange(300) // 3
        hits = np.repeat(generator.random(100) < 0.7, 3)
        strata = np.unique(labels, return_inverse=True)[1]
        share = balanced_accuracy(hits, strata, groups)
        draws = []
        for _ in range(2000):
            rows = (generator.integers(100, size=100)[:, None] * 3 + np.arange(3)).ravel()
            sums = np.bincount(strata[rows], hits[rows])
            draws.append((sums / np.bincount(strata[rows])).mean())
        assert share[1:3] == pytest.approx(np.percentile(draws, (2.5, 97.5)), abs=0.02)
        assert share.value == pytest.approx(
            np.mean([hits[strata == number].mean() for number in range(3)])
        )

    def test_where_all_is_right_each_group_counts_once(self) -> None:
        share = balanced_accuracy(np.ones(60, bool), np.zeros(60, int), np.arange(60) // 3)
        assert share[:3] == pytest.approx((1, *wilson(1, 20)))

    def test_one_group_shows_nothing_of_others(self) -> None:
        share = balanced_accuracy(np.ones(6, bool), np.zeros(6, int), np.zeros(6, int))
        assert share == (1, None, None, 6, "all observations are of one group")
