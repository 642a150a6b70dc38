import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from pulmo.stats.recalibration import recalibrate


def test_the_line_is_that_of_logistic_regression(generator: np.random.Generator) -> None:
    odds = generator.normal(size=400, scale=2)
    positive = generator.random(400) < expit(0.6 * odds - 0.4)
    line = recalibrate(positive, odds, np.arange(400))
    fitted = LogisticRegression(C=np.inf, tol=1e-10).fit(odds[:, None], positive)
    assert line.slope.value == pytest.approx(fitted.coef_[0, 0], abs=1e-5)
    shift = brentq(lambda a: float((positive - expit(odds + a)).sum()), -5, 5)
    assert line.intercept.value == pytest.approx(shift, abs=1e-6)
    assert line.slope.n == line.intercept.n == 400


def test_the_interval_is_as_wide_as_refits_to_other_groups(generator: np.random.Generator) -> None:
    groups = np.repeat(np.arange(100), 4)
    odds = generator.normal(size=100, scale=1.5)[groups] + generator.normal(size=400, scale=0.3)
    luck = generator.random(100)[groups]
    positive = luck < expit(odds)
    line = recalibrate(positive, odds, groups)
    refits = []
    for _ in range(300):
        drawn = generator.integers(100, size=100)
        rows = (drawn[:, None] * 4 + np.arange(4)).ravel()
        part = recalibrate(positive[rows], odds[rows], np.repeat(np.arange(100), 4))
        refits.append((part.slope.value, part.intercept.value))
    for estimate, spread in zip(line, np.std(np.array(refits, float), axis=0), strict=True):
        assert estimate.low is not None
        assert estimate.high is not None
        assert (estimate.high - estimate.low) / 2 / 1.98 == pytest.approx(spread, rel=0.25)


def test_it_covers_the_truth(generator: np.random.Generator) -> None:
    covered = []
    for _ in range(200):
        odds = generator.normal(size=150, scale=1.5)
        positive = generator.random(150) < expit(odds)
        line = recalibrate(positive, odds, np.arange(150))
        slope, shift = line
        covered.append(
            ((slope.low or 9) <= 1 <= (slope.high or 0), (shift.low or 9) <= 0 <= (shift.high or 0))
        )
    assert (np.mean(covered, axis=0) > 0.9).all()


def test_what_cannot_be_fitted_is_undefined() -> None:
    odds = np.array([-2.0, -1.0, 1.0, 2.0])
    apart = recalibrate(odds > 0, odds, np.arange(4))
    assert apart.slope.reason == "the score separates all positives from all negatives"
    assert apart.intercept.value == pytest.approx(0, abs=1e-6)
    wrong = recalibrate(odds < 0, odds, np.arange(4))
    assert wrong.slope.value is None
    assert recalibrate(odds > 5, odds, np.arange(4)).slope.reason is not None
    one = recalibrate(odds == 1, odds, np.array([0, 0, 1, 1]))
    assert one.intercept.reason == "it needs three groups"
    level = recalibrate(odds == 1, np.zeros(4), np.arange(4))
    assert level.slope.reason == "the score is the same for all"
