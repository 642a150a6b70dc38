import numpy as np
import pytest
from scipy.stats import binom, norm, ttest_rel
from sklearn.metrics import roc_auc_score

from fixtures.roc import delong, drawn
from pulmo.stats.paired import (
    accuracy_difference,
    auc_difference,
    balanced_accuracy_difference,
)


def test_the_difference_has_a_normal_interval_and_p() -> None:
    scores, positive = drawn(200, 1, lift=1.0)
    found = auc_difference(positive, scores, np.arange(200))
    first, second = (roc_auc_score(positive, row) for row in scores)
    covariance = delong(scores, positive)
    error = np.sqrt(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    assert found.estimate.value == pytest.approx(first - second)
    assert found.estimate.high == pytest.approx(first - second + 1.96 * error, abs=1e-5)
    assert found.p is not None
    assert found.p < 0.01
    assert found.test == "DeLong"


def test_images_repeated_in_a_group_add_no_certainty() -> None:
    """Every image four times: the areas stay, and so must the width of the interval."""
    scores, positive = drawn(100, 2, lift=0.5)
    once = auc_difference(positive, scores, np.arange(100)).estimate
    repeated = auc_difference(
        np.repeat(positive, 4), np.repeat(scores, 4, axis=1), np.repeat(np.arange(100), 4)
    )
    assert repeated.test == "DeLong, clustered"
    assert repeated.estimate.value == pytest.approx(once.value)
    assert repeated.estimate.low == pytest.approx(once.low, abs=1e-6)


def test_equal_models_differ_by_nothing() -> None:
    scores, positive = drawn(50, 3)
    found = auc_difference(positive, np.stack([scores[0], scores[0]]), np.arange(50))
    assert found.estimate.value == 0
    assert found.p == pytest.approx(1.0)


def test_an_undefined_area_says_why() -> None:
    scores, positive = drawn(10, 0)
    found = auc_difference(np.ones(10, bool), scores, np.arange(10))
    assert (found.estimate.value, found.p) == (None, None)
    assert found.estimate.reason == "it needs positives and negatives"
    alone = auc_difference(np.arange(10) == 0, scores, np.arange(10))
    assert alone.estimate.value is not None
    assert alone.estimate.low is None
    assert alone.estimate.reason == "it needs two groups with positives and two with negatives"
    assert positive.any()


def test_mcnemar_is_the_binomial_test_of_the_discordant() -> None:
    right = np.zeros((2, 100), bool)
    right[:, :60] = True
    right[0, 60:75] = True
    right[1, 75:80] = True
    found = accuracy_difference(right, np.arange(100))
    assert found.estimate.value == pytest.approx(0.1)
    assert found.p == pytest.approx(2 * binom.cdf(5, 20, 0.5))
    expected = ttest_rel(right[0].astype(float), right[1].astype(float)).confidence_interval()
    assert found.estimate[1:3] == pytest.approx((expected.low, expected.high))
    assert found.test == "McNemar, exact"


def test_clustered_mcnemar_of_single_images_is_mcnemars_chi_square() -> None:
    """A pair in which nothing differs leaves Durkalski's statistic at (b - c)^2 / (b + c)."""
    right = np.zeros((2, 42), bool)
    right[0, :15] = True
    right[1, 15:20] = True
    found = accuracy_difference(right, np.array([*range(40), 40, 40]))
    assert found.test == "McNemar, clustered (Durkalski)"
    assert found.p == pytest.approx(0.0253473, abs=1e-6)


def test_models_that_agree_differ_by_nothing() -> None:
    right = np.ones((2, 6), bool)
    assert accuracy_difference(right, np.arange(6)).p == 1.0
    assert accuracy_difference(right, np.array([0, 0, 1, 1, 2, 2])).p == 1.0
    assert accuracy_difference(right[:, :0], np.arange(0)).estimate.reason == "there are no images"


def test_balanced_accuracies_differ_by_the_mean_of_the_classes() -> None:
    generator = np.random.default_rng(5)
    truth = np.repeat([0, 1, 2], [60, 30, 10])
    right = generator.random((2, 100)) < np.array([[0.8], [0.6]])
    found = balanced_accuracy_difference(right, truth, np.arange(100))
    shares = [np.mean([row[truth == k].mean() for k in range(3)]) for row in right]
    assert found.estimate.value == pytest.approx(shares[0] - shares[1])
    assert found.estimate.n == 100
    # Images of a group that are all alike say no more than one of them.
    twice = balanced_accuracy_difference(
        np.repeat(right, 2, axis=1), np.repeat(truth, 2), np.repeat(np.arange(100), 2)
    )
    assert twice.estimate[:3] == pytest.approx(found.estimate[:3])
    assert twice.p == pytest.approx(found.p)


def test_the_interval_of_balanced_accuracies_covers() -> None:
    generator = np.random.default_rng(11)
    groups, truth = np.repeat(np.arange(60), 2), np.repeat(np.arange(60) % 2, 2)
    covered = []
    for _ in range(400):
        common = generator.normal(size=60)[groups]
        noise = generator.normal(size=(2, 120))
        right = common + noise > np.array([[-0.5], [0.3]])
        found = balanced_accuracy_difference(right, truth, groups).estimate
        true = norm.cdf(0.5 / 2**0.5) - norm.cdf(-0.3 / 2**0.5)
        covered.append(found.low is not None and found.low <= true <= (found.high or 0))
    # Of 400 intervals of 95 % chance leaves 367 or more in all but one of a hundred cases.
    assert sum(covered) >= 367


def test_balanced_accuracies_without_images_or_with_one_group() -> None:
    none = balanced_accuracy_difference(np.zeros((2, 0), bool), np.zeros(0, int), np.zeros(0, int))
    assert none.estimate.reason == "there are no images"
    one = balanced_accuracy_difference(np.ones((2, 3), bool), np.zeros(3, int), np.zeros(3, int))
    assert one.estimate == (0.0, None, None, 3, "all observations are of one group")
    same = balanced_accuracy_difference(np.ones((2, 3), bool), np.zeros(3, int), np.arange(3))
    assert (same.estimate[:3], same.p) == ((0.0, 0.0, 0.0), 1.0)
