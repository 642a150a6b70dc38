"""Proportions of observations that cluster, and what is made of two of them.

A proportion has Wilson's score interval, with as many observations as the clustered ones are worth:
the effective sample size. docs/results/intervals.md compares it with other intervals.
"""

from math import exp, sqrt
from typing import Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from pulmo.stats.clusters import Groups, cluster_covariance, number_groups
from pulmo.stats.estimate import Z95, Estimate
from pulmo.stats.means import ONE_GROUP

ONE_GROUP_OF_CLASS: Final = "all observations of one class are of one group"


class Proportion(NamedTuple):
    """A share of hits.

    Attributes:
        value: the share, or None without observations.
        n: number of observations.
        size: how many independent observations they are worth, or None where that is not known.
    """

    value: float | None
    n: int
    size: float | None

    @classmethod
    def from_hits(cls, hits: ArrayLike, groups: Groups = None) -> Self:
        """Takes the share of hits.

        Args:
            hits: whether each relevant observation is a hit, bool [n].
            groups: group of each, [n], any hashable labels; None: all are independent.
        """
        found = np.asarray(hits, np.bool_)
        n = len(found)
        clusters = number_groups(groups, n)
        if not n:
            return cls(None, 0, None)
        one_group = n > 1 and not clusters.any()
        return cls(float(found.mean()), n, None if one_group else effective_size(found, clusters))

    @property
    def complement(self) -> Self:
        """The share of what is no hit."""
        return self._replace(value=None if self.value is None else 1 - self.value)

    def estimate(self, undefined: str = "there are no observations") -> Estimate:
        """Returns the share with Wilson's interval, `undefined` being why there is no share."""
        if self.value is None:
            return Estimate.undefined(undefined)
        if self.size is None:
            return Estimate(self.value, None, None, self.n, ONE_GROUP)
        return Estimate(self.value, *wilson(self.value, self.size), self.n)


def proportion(
    hits: ArrayLike, groups: Groups = None, *, undefined: str = "there are no observations"
) -> Estimate:
    """Returns the share of hits with its 95 % interval: Wilson's, for the effective sample size.

    Args:
        hits: whether each relevant observation is a hit, bool [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
        undefined: the reason to give when there are no observations.

    Returns:
        The estimate; without an interval where several observations are all of one group.
    """
    return Proportion.from_hits(hits, groups).estimate(undefined)


def balanced_accuracy(
    right: ArrayLike,
    classes: NDArray[Any],
    groups: Groups = None,
    *,
    undefined: str = "there are no observations",
) -> Estimate:
    """Returns the mean over classes of their shares of right decisions, with its 95 % interval.

    The interval is made of those that `proportion` gives each class, by the method of variance
    estimates recovery (Zou and Donner 2008). So a class with few observations makes it wide even
    where all of these are right. The shares correlate where groups have observations of several
    classes.

    Args:
        right: whether each decision is right, bool [n].
        classes: class of each observation, [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
        undefined: the reason to give when there are no observations.

    Returns:
        The estimate; without an interval where several observations of a class are all of one
        group.
    """
    hits = np.asarray(right, np.bool_)
    n = len(hits)
    clusters, numbers = number_groups(groups, n), number_groups(classes, n)
    if not n:
        return Estimate.undefined(undefined)
    shares = [proportion(hits[numbers == k], clusters[numbers == k]) for k in np.unique(numbers)]
    values = np.array([share.value for share in shares], np.float64)
    value = float(values.mean())
    if any(share.low is None for share in shares):
        return Estimate(value, None, None, n, ONE_GROUP if len(shares) == 1 else ONE_GROUP_OF_CLASS)
    alike = _correlation(hits - values[numbers], numbers, clusters)
    below, above = (
        np.array([share[end] for share in shares], np.float64) - values for end in (1, 2)
    )
    low, high = (float(np.sqrt(side @ alike @ side)) / len(shares) for side in (below, above))
    return Estimate(value, max(value - low, 0.0), min(value + high, 1.0), n)


def _correlation(
    residuals: NDArray[np.float64], classes: NDArray[np.intp], clusters: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Returns how the classes' shares correlate, [k, k], from what each observation is off, [n]."""
    count = int(classes.max()) + 1
    if count == 1 or not clusters.any():
        return np.eye(count)
    parts = np.where(classes[:, None] == np.arange(count), residuals[:, None], 0.0)
    covariance = cluster_covariance(parts, clusters)
    errors = np.sqrt(np.diag(covariance))
    scale = np.outer(errors, errors)
    found = np.asarray(np.divide(covariance, scale, out=np.zeros_like(scale), where=scale > 0))
    np.fill_diagonal(found, 1.0)
    return found


def wilson(share: float, n: float) -> tuple[float, float]:
    """Returns the 95 % score interval of a proportion (Wilson 1927).

    Args:
        share: the observed proportion, in [0, 1].
        n: number of independent observations, above 0; an effective one need not be whole.
    """
    spread = Z95 * Z95 / n
    centre = share + spread / 2
    reach = sqrt(spread * (share * (1 - share) + spread / 4))
    low, high = ((centre + side * reach) / (1 + spread) for side in (-1, 1))
    # At 0 and 1 rounding could leave the observed share outside.
    return min(max(low, 0.0), share), max(min(high, 1.0), share)


def effective_size(hits: NDArray[np.bool_], clusters: NDArray[np.intp]) -> float:
    """Returns how many independent observations clustered ones are worth for their proportion.

    It is their number over the design effect: the variance between clusters (linearised, as for a
    ratio of cluster totals) over that of independent observations, at least 1. It is reduced for
    the few degrees of freedom of that variance (Korn and Graubard 1998; with Wilson's interval,
    Dean and Pagano 2015). Where all observations are alike there is no variance to compare, and
    those of a cluster count as one. With few clusters of very different sizes it is still too
    large.

    Args:
        hits: whether each observation is a hit, [n], one or more.
        clusters: number of the cluster of each, [n], from 0 without gaps; several observations are
            of two clusters or more.
    """
    n, count = len(hits), int(clusters.max()) + 1
    parts = (hits - hits.mean()) / n
    independent = float(np.square(parts).sum())
    if not independent:
        return float(n * n / np.square(np.bincount(clusters)).sum())
    if count == n:
        return float(n)
    between = float(cluster_covariance(parts, clusters)[0, 0])
    effect = max(1.0, between / (independent * n / (n - 1)))
    freedom = float(stdtrit(n - 1, 0.975) / stdtrit(count - 1, 0.975)) ** 2
    return n / effect * freedom


def ratio(
    above: Proportion, below: Proportion, *, undefined: str = "one of the shares is undefined or 0"
) -> Estimate:
    """Returns the ratio of two independent proportions with the interval of its logarithm.

    The variance of the logarithm is (1 - p) / (n p) of either, added (Katz et al. 1978; Simel et
    al. 1991 for likelihood ratios).

    Args:
        above: the numerator.
        below: the denominator.
        undefined: the reason to give when the ratio is undefined.
    """
    n = above.n + below.n
    if above.value is None or not below.value:
        return Estimate.undefined(undefined, n)
    value = above.value / below.value
    if not value:
        return Estimate(
            0.0, None, None, n, "the interval needs a logarithm, and a ratio of 0 has none"
        )
    variance = 0.0
    for side in (above, below):
        if side.value is None or side.size is None:
            return Estimate(value, None, None, n, ONE_GROUP)
        variance += (1 - side.value) / (side.value * side.size)
    if not variance:
        reason = "both shares are 1, so the uncertainty of their ratio cannot be estimated"
        return Estimate(value, None, None, n, reason)
    reach = exp(Z95 * sqrt(variance))
    return Estimate(value, value / reach, value * reach, n)


def predictive_value(right: Proportion, wrong: Proportion, prevalence: float) -> Estimate:
    """Returns the share of a call that is right, where a given share of all deserves the call.

    It is Bayes' rule on the ratio of `right` to `wrong`, with the interval of that ratio, which is
    the one on the logit scale of Mercaldo, Lau and Zhou 2007.

    Args:
        right: how often the call is made where it is deserved: the sensitivity, for a positive one.
        wrong: how often it is made where it is not.
        prevalence: share of all that deserve it, between 0 and 1.
    """
    n = right.n + wrong.n
    if right.value is None or wrong.value is None:
        return Estimate.undefined("it needs positive and negative images", n)
    called = right.value * prevalence + wrong.value * (1 - prevalence)
    if not called:
        return Estimate.undefined("nothing is predicted as such", n)
    value = right.value * prevalence / called
    odds_ratio = ratio(
        right, wrong, undefined="no decision is wrong, so the uncertainty cannot be estimated"
    )
    if odds_ratio.low is None or odds_ratio.high is None:
        return Estimate(value, None, None, n, odds_ratio.reason)
    odds = prevalence / (1 - prevalence)
    low, high = (odds * end / (1 + odds * end) for end in (odds_ratio.low, odds_ratio.high))
    return Estimate(value, low, high, n)
