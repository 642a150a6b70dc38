"""Paired tests: two models with predictions of the same images."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtr
from scipy.stats import binomtest, chi2, norm

from pulmo.stats.clusters import Groups, cluster_covariance, number_groups
from pulmo.stats.estimate import Z95, Estimate
from pulmo.stats.means import ONE_GROUP, student_estimate
from pulmo.stats.roc import auc_covariance

NO_IMAGES = "there are no images"


class PairedDifference(NamedTuple):
    """The first model's value minus the second's.

    Attributes:
        estimate: the difference with its 95 % interval and the images behind it.
        p: two-sided probability of such a difference, or a larger one, if there were none; None
            where it is undefined.
        test: the test's name.
    """

    estimate: Estimate
    p: float | None
    test: str


def auc_difference(
    positive: ArrayLike, scores: ArrayLike, groups: Groups = None
) -> PairedDifference:
    """Compares the areas under two ROC curves (DeLong et al. 1988).

    The variance is that of Obuchowski 1997 for clustered data, which is DeLong's where every group
    has one image.

    Args:
        positive: bool [n].
        scores: float [2, n], each model's score of each image, high for positives.
        groups: group of each, [n], any hashable labels; None: all are independent.
    """
    truth, given = np.asarray(positive, np.bool_), np.asarray(scores, np.float64)
    n = len(truth)
    clusters = number_groups(groups, n)
    test = "DeLong, clustered" if len(np.unique(clusters)) < n else "DeLong"
    if truth.all() or not truth.any():
        reason = "it needs positives and negatives"
        return PairedDifference(Estimate.undefined(reason, n), None, test)
    areas, covariance = auc_covariance(truth, given, clusters)
    value = float(areas[0] - areas[1])
    contrast = np.array([1.0, -1.0])
    # Rounding may take the variance of equal models below nothing.
    error = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    if not np.isfinite(error):
        reason = "it needs two groups with positives and two with negatives"
        return PairedDifference(Estimate(value, None, None, n, reason), None, test)
    reach = Z95 * error
    p = float(2 * norm.sf(abs(value) / error)) if error else float(value == 0)
    low, high = max(value - reach, -1.0), min(value + reach, 1.0)
    return PairedDifference(Estimate(value, low, high, n), p, test)


def balanced_accuracy_difference(
    right: ArrayLike, classes: NDArray[Any], groups: Groups = None
) -> PairedDifference:
    """Compares the balanced accuracies of two models.

    Both are means over the classes of a share, so their difference is linear in the images, and
    its variance is that between groups of the linearised sum. The interval and the test are those
    of Student's t with one degree of freedom less than there are groups.

    Args:
        right: bool [2, n], whether each model is right about each image.
        classes: the class of each image, [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
    """
    gains, test = _gains(right), "t over groups"
    clusters = number_groups(groups, len(gains))
    if not len(gains):
        return PairedDifference(Estimate.undefined(NO_IMAGES), None, test)
    found = _mean_gain(gains, number_groups(classes, len(gains)), clusters)
    if found.freedom is None:
        return PairedDifference(found.estimate, None, test)
    value = abs(found.estimate.value or 0.0)
    # Twice the lower tail, which keeps its digits.
    p = 2 * float(stdtr(found.freedom, -value / found.error)) if found.error else float(value == 0)
    return PairedDifference(found.estimate, p, test)


def accuracy_difference(right: ArrayLike, groups: Groups = None) -> PairedDifference:
    """Compares the accuracies of two models.

    The test is McNemar's, exact (McNemar 1947), where every group has one image, else that of
    Durkalski et al. 2003 for clustered pairs. The interval of the difference is Student's, with the
    variance between groups.

    Args:
        right: bool [2, n], whether each model is right about each image.
        groups: group of each, [n], any hashable labels; None: all are independent.
    """
    gains = _gains(right)
    clusters = number_groups(groups, len(gains))
    if not len(gains):
        return PairedDifference(Estimate.undefined(NO_IMAGES), None, "McNemar")
    estimate = _mean_gain(gains, np.zeros(len(gains), np.intp), clusters).estimate
    sums = np.bincount(clusters, gains)
    if len(sums) == len(gains):
        first, both = int((gains > 0).sum()), int((gains != 0).sum())
        p = float(binomtest(first, both).pvalue) if both else 1.0
        return PairedDifference(estimate, p, "McNemar, exact")
    square = float(np.square(sums).sum())
    p = float(chi2.sf(sums.sum() ** 2 / square, 1)) if square else 1.0
    return PairedDifference(estimate, p, "McNemar, clustered (Durkalski)")


class _MeanGain(NamedTuple):
    """A mean difference with its standard error; without degrees of freedom if of one group."""

    estimate: Estimate
    error: float = 0.0
    freedom: int | None = None


def _gains(right: ArrayLike) -> NDArray[np.float64]:
    """Returns 1 where only the first model is right, -1 where only the second is, else 0, [n]."""
    first, second = np.asarray(right, np.float64)
    return np.asarray(first - second)


def _mean_gain(
    gains: NDArray[np.float64], strata: NDArray[np.intp], clusters: NDArray[np.intp]
) -> _MeanGain:
    """Returns the mean over strata of their mean gains."""
    n, count, sizes = len(gains), int(clusters.max()) + 1, np.bincount(strata)
    means = np.bincount(strata, gains) / sizes
    value = float(means.mean())
    if count < 2:
        return _MeanGain(Estimate(value, None, None, n, ONE_GROUP))
    parts = (gains - means[strata]) / (len(sizes) * sizes[strata])
    error = float(np.sqrt(cluster_covariance(parts, clusters)[0, 0]))
    return _MeanGain(student_estimate(value, error, count - 1, n, (-1.0, 1.0)), error, count - 1)
