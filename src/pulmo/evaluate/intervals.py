"""Intervals of proportions: Wilson's, with the effective sample size where pictures cluster."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from pulmo.core.estimate import Estimate

Z = float(ndtri(0.975))
"""97.5th percentile of the normal distribution."""


class Interval(NamedTuple):
    """The two ends of a 95 % interval."""

    low: float
    high: float


def wilson(share: float, n: float) -> Interval:
    """Returns the 95 % score interval of a proportion (Wilson 1927).

    Args:
        share: the observed proportion, in [0, 1].
        n: number of independent observations, above 0; an effective one need not be whole.
    """
    spread = Z * Z / n
    centre = share + spread / 2
    reach = float(np.sqrt(spread * (share * (1 - share) + spread / 4)))
    low, high = ((centre + side * reach) / (1 + spread) for side in (-1, 1))
    # At 0 and 1 rounding could leave the observed share outside.
    return Interval(min(max(low, 0.0), share), max(min(high, 1.0), share))


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
