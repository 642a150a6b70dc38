"""Intervals of proportions: Wilson's, with the effective sample size where pictures cluster."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from pulmo.core.estimate import Estimate, wilson


def effective_size(hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> float:
    """Returns how many independent observations clustered ones are worth for their proportion.

    It is n over the design effect, the variance of the proportion between groups (linearised, as
    for a ratio of group totals) over its binomial variance, at least 1, and is reduced for the few
    degrees of freedom of that variance (Korn and Graubard 1998; with Wilson's interval, Dean and
    Pagano 2015). Where all observations are alike there is no variance to compare, and each group
    counts once. With few groups of very different sizes it is still too large.

    Args:
        hits: whether each observation is a hit, [n].
        groups: group of each observation, [n], two or more different.
    """
    n = len(hits)
    _, members = np.unique(groups, return_inverse=True)
    clusters = int(members.max()) + 1
    if clusters == n:
        return n
    share = float(hits.mean())
    if share in {0.0, 1.0}:
        return clusters
    residuals = np.bincount(members, weights=hits - share)
    between = clusters / (clusters - 1) * float(np.square(residuals).sum()) / n**2
    effect = max(1.0, between / (share * (1 - share) / (n - 1)))
    freedom = float(stdtrit(n - 1, 0.975) / stdtrit(clusters - 1, 0.975)) ** 2
    return n / effect * freedom


def proportion_estimate(
    hits: NDArray[np.bool_], groups: NDArray[np.intp], undefined: str
) -> Estimate:
    """Returns the share of hits with its 95 % interval.

    Args:
        hits: whether each relevant observation is a hit, [n].
        groups: group of each observation, [n].
        undefined: the reason to give when there are no observations.
    """
    n = len(hits)
    if n == 0:
        return Estimate.undefined(undefined)
    share = float(hits.mean())
    if n > 1 and (groups == groups[0]).all():
        return Estimate(share, None, None, n, f"its {n} pictures are of one patient or group")
    return Estimate(share, *wilson(share, effective_size(hits, groups)), n)
