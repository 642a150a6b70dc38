import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import logit
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from pulmo.stats.estimate import Estimate
from pulmo.stats.roc import auc, auc_covariance, without_interval_if_scarce


class TestAUC:
    def test_the_variance_is_that_of_hanleys_ratings(self) -> None:
        """Hanley and McNeil 1982, table I; DeLong's error 0.0307, as `roctab` of Stata gives it."""
        normal, abnormal = (33, 6, 6, 11, 2), (3, 2, 2, 11, 33)
        scores = np.repeat(np.tile(np.arange(5.0), 2), (*normal, *abnormal))
        positive = np.arange(109) >= 58
        value, low, high, n, _ = auc(positive, scores, np.arange(109))
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
            _, low, high, *_ = auc(positive, scores, np.arange(70))
            assert low is not None
            assert high is not None
            covered += low <= 0.92135 <= high
        assert 0.93 <= covered / 1000 <= 0.975

    def test_copies_do_not_narrow_it(self, generator: np.random.Generator) -> None:
        positive = np.arange(100) < 40
        scores = generator.normal(size=100) + positive
        once = auc(positive, scores, np.arange(100))
        rows = np.repeat(np.arange(100), 3)
        often = auc(positive[rows], scores[rows], rows)
        assert once.value == pytest.approx(roc_auc_score(positive, scores))
        assert often[:3] == pytest.approx(once[:3], rel=1e-6)

    def test_what_it_cannot_tell_it_says(self) -> None:
        scores, positive = np.array([0.1, 0.2, 0.3, 0.4]), np.array([False, False, True, True])
        whole = auc(positive, scores, np.arange(4))
        assert whole[:4] == (1.0, None, None, 4)
        assert (
            whole.reason == "the scores separate the two sides completely, "
            "so its uncertainty cannot be estimated"
        )
        same = auc(positive, np.full(4, 0.5), np.arange(4))
        assert same[:4] == (0.5, None, None, 4)
        assert "do not separate the two sides at all" in str(same)
        nothing = auc(np.ones(4, np.bool_), scores, np.arange(4), undefined="why")
        assert nothing == Estimate.undefined("why", 4)
        for groups, word in (([0, 1, 2, 2], "with"), ([0, 0, 1, 2], "without")):
            estimate = auc(positive, scores, np.array(groups))
            assert estimate.reason == f"images {word} it come from 1 group only"
            assert estimate.value == 1.0


Pair = tuple[NDArray[np.float64], NDArray[np.bool_]]


def drawn(n: int, seed: int, *, lift: float = 0.0) -> Pair:
    """Two correlated scores, rounded so that some tie, the first better by `lift`."""
    generator = np.random.default_rng(seed)
    positive = generator.random(n) < 0.4
    common = generator.normal(size=n) + positive
    scores = np.stack([common + lift * positive, common]) + generator.normal(size=(2, n))
    return scores.round(1), positive


def delong(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The covariance by the definition of DeLong et al. 1988, all pairs one by one."""
    found, others = scores[:, positive], scores[:, ~positive]
    kernel = (found[:, :, None] > others[:, None]) + 0.5 * (found[:, :, None] == others[:, None])
    return np.asarray(
        np.cov(kernel.mean(axis=2)) / found.shape[1] + np.cov(kernel.mean(axis=1)) / others.shape[1]
    )


@pytest.mark.parametrize("seed", range(3))
def test_areas_and_covariance_are_delongs(seed: int) -> None:
    scores, positive = drawn(80, seed)
    areas, covariance = auc_covariance(positive, scores, np.arange(80))
    assert areas == pytest.approx([roc_auc_score(positive, row) for row in scores])
    np.testing.assert_allclose(covariance, delong(scores, positive), rtol=1e-9)


def test_groups_that_hold_both_kinds_cover_their_area() -> None:
    """The interval of a single area over clusters of both kinds covers the truth, 1 / 2."""
    generator, covered = np.random.default_rng(0), 0
    for _ in range(300):
        groups = np.repeat(np.arange(40), 5)
        positive = generator.random(200) < 0.5
        scores = generator.normal(size=40)[groups] * 2 + generator.normal(size=200)
        areas, covariance = auc_covariance(positive, scores[None], groups)
        covered += abs(areas[0] - 0.5) <= 1.96 * np.sqrt(covariance[0, 0])
    assert binom.cdf(covered, 300, 0.95) > 0.001


@pytest.mark.parametrize(
    ("positive", "reason"),
    [
        ([1, 1, 0, 0, 0], "images with it come from 1 group only"),
        ([1, 1, 1, 1, 0], "images without it come from 1 group only"),
        ([1, 1, 1, 1, 1], "images without it come from 0 groups only"),
        ([1, 0, 1, 0, 0], None),
    ],
)
def test_one_group_on_a_side_gives_no_interval(positive: list[int], reason: str | None) -> None:
    estimate = Estimate(0.5, 0.2, 0.7, 5)
    groups = np.array([0, 0, 1, 2, 3])
    checked = without_interval_if_scarce(estimate, np.array(positive, np.bool_), groups)
    expected = Estimate(0.5, None, None, 5, reason) if reason else estimate
    assert checked == expected


def test_what_has_no_value_keeps_its_own_reason() -> None:
    estimate = Estimate.undefined("no image", 2)
    positive = np.array([True, True])
    assert without_interval_if_scarce(estimate, positive, np.array([0, 1])) == estimate
