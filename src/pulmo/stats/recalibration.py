"""Recalibration: which line through the log odds of a score would make it right."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from pulmo.stats.clusters import Groups, cluster_covariance, number_groups
from pulmo.stats.estimate import Estimate
from pulmo.stats.means import student_estimate

_STEPS: Final = 100
_CLOSE: Final = 1e-9

# Information below which a coefficient is known to no better than 1000: the scores are all 0 or 1.
_LEAST: Final = 1e-6


class Line(NamedTuple):
    """What the log odds of a well calibrated score would be: slope x log odds + shift.

    Attributes:
        slope: below 1 the score is too extreme, above 1 too timid.
        intercept: of the line with slope 1; below 0 the score is too high on the whole.
    """

    slope: Estimate
    intercept: Estimate


def recalibrate(
    positive: NDArray[np.bool_], odds: NDArray[np.float64], groups: Groups = None
) -> Line:
    """Fits the logistic recalibration of Cox 1958, as Van Calster et al. 2016 use it.

    The slope is fitted with a free intercept, the intercept with a slope of 1 (calibration in the
    large). The intervals are those of Student's t with the variance between groups (Liang and
    Zeger 1986).

    Args:
        positive: whether each image is positive, [n].
        odds: the log odds of being positive that the model gives, [n], finite.
        groups: group of each, [n], any hashable labels; None: all are independent.
    """
    n = len(odds)
    clusters = number_groups(groups, n)
    reason = None
    if positive.all() or not positive.any():
        reason = "it needs positives and negatives"
    elif clusters.max() < 2:
        reason = "it needs three groups"
    if reason:
        return Line(Estimate.undefined(reason, n), Estimate.undefined(reason, n))
    ones = np.ones((n, 1))
    if odds.min() == odds.max():
        slope = Estimate.undefined("the score is the same for all", n)
    elif _apart(odds[positive], odds[~positive]):
        slope = Estimate.undefined("the score separates all positives from all negatives", n)
    else:
        slope = _fitted(np.hstack([odds[:, None], ones]), np.zeros(n), positive, clusters)
    return Line(slope, _fitted(ones, odds, positive, clusters))


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> bool:
    """Tells whether all of one side are at or above all of the other."""
    return bool(first.min() >= second.max() or second.min() >= first.max())


def _fitted(
    inputs: NDArray[np.float64],
    offset: NDArray[np.float64],
    positive: NDArray[np.bool_],
    clusters: NDArray[np.intp],
) -> Estimate:
    """Returns the first coefficient of a logistic regression of inputs [n, k], by Newton's steps.

    Args:
        inputs: the predictors, [n, k].
        offset: what is added to the log odds, [n].
        positive: what is predicted, [n].
        clusters: number of the cluster of each, [n], from 0 without gaps.
    """
    n = len(inputs)
    weights = np.zeros(inputs.shape[1])
    for _ in range(_STEPS):
        fitted = expit(inputs @ weights + offset)
        information = inputs.T @ (inputs * (fitted * (1 - fitted))[:, None])
        step = np.linalg.lstsq(information, inputs.T @ (positive - fitted))[0]
        # A full step from far away can leap to where all is flat.
        weights += step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < _CLOSE:
            break
    if np.abs(step).max() >= _CLOSE or np.diag(information).min() < _LEAST:
        return Estimate.undefined("the scores are too sure for a line to fit", n)
    scores = inputs * (positive - fitted)[:, None]
    bread = np.linalg.inv(information)
    variance = bread @ cluster_covariance(scores, clusters) @ bread
    error = float(np.sqrt(variance[0, 0]))
    return student_estimate(float(weights[0]), error, int(clusters.max()), n)
