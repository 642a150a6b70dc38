from math import exp, log

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from pulmo.core.estimate import Estimate, wilson
from pulmo.evaluate.intervals import (
    Proportion,
    auc_estimate,
    effective_size,
    predictive_value,
    proportion_estimate,
    ratio_estimate,
)


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


def proportion(hits: int, n: int) -> Proportion:
    return Proportion.of(np.arange(n) < hits, np.arange(n))


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
    estimate = proportion(hits, n).estimate("")
    assert estimate[1:3] == pytest.approx((low, high), abs=5e-5)


class TestLiverScan:
    """Altman and Bland 1994 (BMJ 308:1552, 309:102): 231 of 258 abnormal, 54 of 86 normal."""

    sensitivity = proportion(231, 258)
    specificity = proportion(54, 86)

    def test_the_figures_are_those_of_the_paper(self) -> None:
        assert self.sensitivity.value == pytest.approx(0.90, abs=0.005)
        assert self.specificity.value == pytest.approx(0.63, abs=0.005)
        ratio = ratio_estimate(self.sensitivity, self.specificity.opposite, "")
        assert ratio.value == pytest.approx(2.4, abs=0.05)
        positive = predictive_value(self.sensitivity, self.specificity.opposite, 0.25)
        negative = predictive_value(self.specificity, self.sensitivity.opposite, 0.75)
        assert positive.value == pytest.approx(0.45, abs=0.005)
        assert negative.value == pytest.approx(0.95, abs=0.005)
        at_hand = predictive_value(self.sensitivity, self.specificity.opposite, 258 / 344)
        assert at_hand.value == pytest.approx(231 / 263)

    def test_the_intervals_are_those_of_the_logarithm(self) -> None:
        ratio = ratio_estimate(self.sensitivity, self.specificity.opposite, "")
        error = (1 / 231 - 1 / 258 + 1 / 32 - 1 / 86) ** 0.5
        centre = log(231 / 258 / (32 / 86))
        assert ratio.low == pytest.approx(exp(centre - 1.959964 * error))
        assert ratio.high == pytest.approx(exp(centre + 1.959964 * error))
        assert ratio.n == 344
        # Mercaldo, Lau and Zhou 2007, equation 9: the logit of the predictive value.
        variance = (27 / 258) / (231 / 258 * 258) + (54 / 86) / (32 / 86 * 86)
        value, low, high, *_ = predictive_value(self.sensitivity, self.specificity.opposite, 0.25)
        assert value is not None
        ends = expit(logit(value) + np.array([-1.959964, 1.959964]) * variance**0.5)
        assert (low, high) == pytest.approx(tuple(ends))


def test_a_ratio_covers_as_it_says(generator: np.random.Generator) -> None:
    covered = 0
    for _ in range(2000):
        above, below = proportion(generator.binomial(80, 0.8), 80), generator.binomial(120, 0.2)
        ratio = ratio_estimate(above, proportion(below, 120), "")
        assert ratio.low is not None
        assert ratio.high is not None
        covered += ratio.low <= 4 <= ratio.high
    assert 0.935 <= covered / 2000 <= 0.965


def test_ratios_without_an_interval_or_a_value_say_why() -> None:
    none, half = Proportion(None, 0, None), proportion(5, 10)
    assert ratio_estimate(none, half, "why") == Estimate.undefined("why", 10)
    assert ratio_estimate(half, none, "why") == Estimate.undefined("why", 10)
    assert ratio_estimate(half, proportion(0, 9), "why") == Estimate.undefined("why", 19)
    assert ratio_estimate(proportion(0, 9), half, "why")[:4] == (0.0, None, None, 19)
    full = ratio_estimate(proportion(9, 9), proportion(8, 8), "why")
    assert full[:4] == (1.0, None, None, 17)
    assert full.reason == "both shares are 1, which says nothing of the uncertainty of their ratio"
    one = Proportion.of(np.array([True, False]), np.zeros(2, np.intp))
    for sides in ((one, half), (half, one)):
        estimate = ratio_estimate(*sides, "why")
        assert estimate[:4] == (1.0, None, None, 12)
        assert estimate.reason == "its 2 pictures are of one patient or group"


def test_predictive_values_without_an_interval_or_a_value_say_why() -> None:
    none, half, zero = Proportion(None, 0, None), proportion(5, 10), proportion(0, 8)
    for sides in ((none, half), (half, none)):
        estimate = predictive_value(*sides, 0.1)
        assert str(estimate) == "undefined (it needs positive and negative pictures)"
    assert str(predictive_value(zero, zero, 0.1)) == "undefined (nothing was called so)"
    assert predictive_value(half, zero, 0.1)[:3] == (1.0, None, None)
    assert predictive_value(zero, half, 0.1)[:3] == (0.0, None, None)
    assert none.opposite.value is None


class TestAUC:
    def test_the_variance_is_that_of_hanleys_ratings(self) -> None:
        """Hanley and McNeil 1982, table I; DeLong's error 0.0307, as `roctab` of Stata gives it."""
        normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
        scores = np.repeat(np.tile(np.arange(5.0), 2), (*normal, *abnormal))
        positive = np.arange(109) >= 58
        value, low, high, n, _ = auc_estimate(scores, positive, np.arange(109), "")
        assert value == pytest.approx(0.8932, abs=5e-5)
        assert value is not None
        assert low is not None
        assert high is not None
        error = (logit(high) - logit(low)) / 2 / 1.959964 * value * (1 - value)
        assert error == pytest.approx(0.0307, abs=5e-5)
        assert n == 109

    def test_it_covers_as_it_says(self, generator: np.random.Generator) -> None:
        positive = np.arange(70) < 25
        covered = 0
        for _ in range(1000):
            scores = generator.normal(size=70) + 2.0 * positive
            _, low, high, *_ = auc_estimate(scores, positive, np.arange(70), "")
            assert low is not None
            assert high is not None
            covered += low <= 0.92135 <= high
        assert 0.93 <= covered / 1000 <= 0.975

    def test_copies_do_not_narrow_it(self, generator: np.random.Generator) -> None:
        positive = np.arange(100) < 40
        scores = generator.normal(size=100) + positive
        once = auc_estimate(scores, positive, np.arange(100), "")
        rows = np.repeat(np.arange(100), 3)
        often = auc_estimate(scores[rows], positive[rows], rows, "")
        assert once.value == pytest.approx(roc_auc_score(positive, scores))
        assert often[:3] == pytest.approx(once[:3], rel=1e-6)

    def test_what_it_cannot_tell_it_says(self) -> None:
        scores, positive = np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, False, True, True])
        whole = auc_estimate(scores, positive, np.arange(4), "")
        assert whole[:4] == (1.0, None, None, 4)
        assert (
            whole.reason
            == "the scores part both sides fully, which says nothing of its uncertainty"
        )
        same = auc_estimate(np.full(4, 0.5), positive, np.arange(4), "")
        assert same[:4] == (0.5, None, None, 4)
        assert "do not part the sides at all" in str(same)
        nothing = auc_estimate(scores, np.ones(4, np.bool_), np.arange(4), "why")
        assert nothing == Estimate.undefined("why", 4)
        for groups, word in (([0, 1, 2, 2], "with"), ([0, 0, 1, 2], "without")):
            estimate = auc_estimate(scores, positive, np.array(groups), "")
            assert estimate.reason == f"pictures {word} it come from 1 group only"
            assert estimate.value == 1.0
