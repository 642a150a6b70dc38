"""Areas under ROC curves of observations that cluster."""

from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import rankdata

from pulmo.stats.clusters import Groups, number_groups
from pulmo.stats.estimate import Z95, Estimate


def auc(
    positive: ArrayLike,
    scores: ArrayLike,
    groups: Groups = None,
    *,
    undefined: str = "it needs positives and negatives",
) -> Estimate:
    """Returns the area under a ROC curve with its 95 % interval.

    The variance is that of DeLong et al. 1988, or of Obuchowski 1997 where observations cluster;
    the interval is made of it on the logit scale, which keeps it within 0 and 1 and covers better
    where the area is high (Qin and Hotilovac 2008).

    Args:
        positive: whether each observation is positive, bool [n].
        scores: float [n], high for positives.
        groups: group of each, [n], any hashable labels; None: all are independent.
        undefined: the reason to give when there are no positives or no negatives.
    """
    truth, given = np.asarray(positive, np.bool_), np.asarray(scores, np.float64)
    clusters, n = number_groups(groups, len(truth)), len(truth)
    if truth.all() or not truth.any():
        return Estimate.undefined(undefined, n)
    areas, covariance = auc_covariance(truth, given[None], clusters)
    area = min(max(float(areas[0]), 0.0), 1.0)
    found = without_interval_if_scarce(Estimate(area, 0.0, 1.0, n), truth, clusters)
    if found.reason:
        return found
    error = sqrt(max(float(covariance[0, 0]), 0.0))
    if not error or area in {0.0, 1.0}:
        how = (
            "separate the two sides completely"
            if area in {0.0, 1.0}
            else "do not separate the two sides at all"
        )
        return found.without_interval(f"the scores {how}, so its uncertainty cannot be estimated")
    centre, reach = float(logit(area)), Z95 * error / (area * (1 - area))
    return Estimate(area, float(expit(centre - reach)), float(expit(centre + reach)), n)


def auc_covariance(
    positive: NDArray[np.bool_], scores: NDArray[np.float64], clusters: NDArray[np.intp]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns the areas under the ROC curves of k scores, [k], and their covariance, [k, k].

    The structural components come from mid-ranks (Sun and Xu 2014), the sums over them from
    Obuchowski 1997, equations 3 to 6. The covariance is NaN where fewer than two clusters hold
    positives, or negatives.

    Args:
        positive: bool [n], some of them.
        scores: float [k, n], high for positives.
        clusters: number of the cluster of each, [n], from 0 without gaps.
    """
    m, n = int(positive.sum()), int((~positive).sum())
    whole = rankdata(scores, axis=1)
    of_positives = (whole[:, positive] - rankdata(scores[:, positive], axis=1)) / n
    of_negatives = 1 - (whole[:, ~positive] - rankdata(scores[:, ~positive], axis=1)) / m
    areas = of_positives.mean(axis=1)
    count = int(clusters.max()) + 1

    def summed(parts: NDArray[np.float64], members: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns [k, clusters], each cluster's sum of the components' deviations."""
        rows = parts - areas[:, None]
        return np.stack([np.bincount(clusters[members], row, count) for row in rows])

    x, y = summed(of_positives, positive), summed(of_negatives, ~positive)
    with_x, with_y = (len(np.unique(clusters[side])) for side in (positive, ~positive))
    if with_x < 2 or with_y < 2:
        return areas, np.full((len(scores), len(scores)), np.nan)
    # Not `cluster_covariance`: positives and negatives have a number of clusters each.
    cross = x @ y.T * count / ((count - 1) * m * n)
    covariance = x @ x.T * with_x / ((with_x - 1) * m * m)
    covariance += y @ y.T * with_y / ((with_y - 1) * n * n) + cross + cross.T
    return areas, covariance


def without_interval_if_scarce(
    estimate: Estimate, positive: NDArray[np.bool_], clusters: NDArray[np.intp]
) -> Estimate:
    """Takes the interval from an estimate of positives against negatives of too few groups.

    One group with positives, or one with negatives, shows nothing of how groups differ.

    Args:
        estimate: the estimate.
        positive: whether each observation is positive, [n].
        clusters: group of each observation, [n].
    """
    for side, word in ((positive, "with"), (~positive, "without")):
        found = len(np.unique(clusters[side]))
        if found < 2:
            return estimate.without_interval(
                f"images {word} it come from {found} group{'' if found == 1 else 's'} only"
            )
    return estimate
