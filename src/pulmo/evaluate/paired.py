"""Tests of two models on the same pictures."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest, chi2, norm, rankdata, t

from pulmo.core.estimate import Z95, Estimate


class Difference(NamedTuple):
    """The first model's figure minus the second's.

    Attributes:
        estimate: the difference with its 95 % interval and the pictures behind it.
        p: two-sided probability of such a difference, or a larger one, if there were none; None
            where it is undefined.
        test: the test's name.
    """

    estimate: Estimate
    p: float | None
    test: str


def compare_auc(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], groups: NDArray[np.intp]
) -> Difference:
    """Compares the areas under two ROC curves (DeLong et al. 1988).

    The variance is that of Obuchowski 1997 for clustered data, which is DeLong's where every group
    has one picture.

    Args:
        scores: float [2, n], each model's score of each picture, high for positives.
        positive: bool [n].
        groups: int [n], the patient or set of copies that each picture belongs to.
    """
    test = "DeLong, clustered" if len(np.unique(groups)) < len(groups) else "DeLong"
    if positive.all() or not positive.any():
        reason = "it needs positives and negatives"
        return Difference(Estimate.undefined(reason, len(positive)), None, test)
    areas, covariance = auc_covariance(scores, positive, groups)
    value = float(areas[0] - areas[1])
    contrast = np.array([1.0, -1.0])
    # Rounding may take the variance of equal models below nothing.
    error = float(np.sqrt(max(contrast @ covariance @ contrast, 0.0)))
    if not np.isfinite(error):
        reason = "it needs two groups with positives and two with negatives"
        return Difference(Estimate(value, None, None, len(positive), reason), None, test)
    reach = Z95 * error
    p = float(2 * norm.sf(abs(value) / error)) if error else float(value == 0)
    low, high = max(value - reach, -1.0), min(value + reach, 1.0)
    return Difference(Estimate(value, low, high, len(positive)), p, test)


def auc_covariance(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], groups: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the areas under the ROC curves of k models, [k], and their covariance, [k, k].

    The structural components come from mid-ranks (Sun and Xu 2014), the sums over them from
    Obuchowski 1997, equations 3 to 6. The covariance is NaN where fewer than two groups hold
    positives, or negatives.

    Args:
        scores: float [k, n], high for positives.
        positive: bool [n], some of them.
        groups: int [n].
    """
    m, n = int(positive.sum()), int((~positive).sum())
    whole = rankdata(scores, axis=1)
    of_positives = (whole[:, positive] - rankdata(scores[:, positive], axis=1)) / n
    of_negatives = 1 - (whole[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / m
    areas = of_positives.mean(axis=1)
    clusters, number = np.unique(groups, return_inverse=True)

    def summed(parts: NDArray[np.float64], members: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns [k, clusters], each cluster's sum of the components' deviations."""
        rows, count = parts - areas[:, None], len(clusters)
        return np.stack([np.bincount(number[members], row, count) for row in rows])

    x, y = summed(of_positives, positive), summed(of_negatives, ~positive)
    with_x, with_y = (len(np.unique(number[side])) for side in (positive, ~positive))
    if with_x < 2 or with_y < 2:
        return areas, np.full((len(scores), len(scores)), np.nan)
    cross = x @ y.T * len(clusters) / ((len(clusters) - 1) * m * n)
    covariance = x @ x.T * with_x / ((with_x - 1) * m * m)
    covariance += y @ y.T * with_y / ((with_y - 1) * n * n) + cross + cross.T
    return areas, covariance


def compare_balanced_accuracy(
    right: NDArray[np.bool_], truth: NDArray[np.intp], groups: NDArray[np.intp]
) -> Difference:
    """Compares the balanced accuracies of two models.

    Both are means over the classes of a share, so their difference is linear in the pictures, and
    its variance is that between groups of the linearised sum. The interval and the test are those
    of Student's t with one degree of freedom less than there are groups.

    Args:
        right: bool [2, n], whether each model is right about each picture.
        truth: int [n], the class of each picture.
        groups: int [n], the patient or set of copies that each picture belongs to.
    """
    n, test = right.shape[1], "t over groups"
    if n == 0:
        return Difference(Estimate.undefined("there are no pictures"), None, test)
    gains = right[0].astype(float) - right[1]
    _, stratum = np.unique(truth, return_inverse=True)
    sizes = np.bincount(stratum)
    means = np.bincount(stratum, gains) / sizes
    value = float(means.mean())
    _, number = np.unique(groups, return_inverse=True)
    clusters = int(number.max()) + 1
    if clusters < 2:
        return Difference(Estimate(value, None, None, n, "there is one group"), None, test)
    sums = np.bincount(number, (gains - means[stratum]) / (len(sizes) * sizes[stratum]))
    error = float(np.sqrt(clusters / (clusters - 1) * np.square(sums).sum()))
    reach = float(t.ppf(0.975, clusters - 1)) * error
    p = float(2 * t.sf(abs(value) / error, clusters - 1)) if error else float(value == 0)
    low, high = max(value - reach, -1.0), min(value + reach, 1.0)
    return Difference(Estimate(value, low, high, n), p, test)


def compare_accuracy(right: NDArray[np.bool_], groups: NDArray[np.intp]) -> Difference:
    """Compares the accuracies of two models.

    The test is McNemar's, exact (McNemar 1947), where every group has one picture, else that of
    Durkalski et al. 2003 for clustered pairs. The interval of the difference is Wald's over the
    groups, which with one picture a group is the usual one of paired proportions.

    Args:
        right: bool [2, n], whether each model is right about each picture.
        groups: int [n], the patient or set of copies that each picture belongs to.
    """
    n = right.shape[1]
    if n == 0:
        return Difference(Estimate.undefined("there are no pictures"), None, "McNemar")
    gains = right[0].astype(int) - right[1].astype(int)
    _, number = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(number, gains), np.bincount(number)
    value = float(gains.mean())
    error = float(np.sqrt(((sums - value * sizes) ** 2).sum())) / n
    low, high = max(value - Z95 * error, -1.0), min(value + Z95 * error, 1.0)
    estimate = Estimate(value, low, high, n)
    if (sizes == 1).all():
        first, both = int((gains > 0).sum()), int((gains != 0).sum())
        p = float(binomtest(first, both).pvalue) if both else 1.0
        return Difference(estimate, p, "McNemar, exact")
    square = float((sums**2).sum())
    p = float(chi2.sf(sums.sum() ** 2 / square, 1)) if square else 1.0
    return Difference(estimate, p, "McNemar, clustered (Durkalski)")
