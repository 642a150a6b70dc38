"""Proportions of observations that cluster, and what is made of two of them.

A proportion has Wilson's score interval, with as many observations as the clustered ones are worth:
the effective sample size. docs/results/intervals.md compares it with other intervals.
"""

from math import exp, sqrt
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import stdtrit

from pulmo.stats.clusters import Groups, cluster_covariance, number_groups
from pulmo.stats.estimate import Z95, Estimate
from pulmo.stats.means import ONE_GROUP


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
    def from_hits(
        cls, hits: ArrayLike, groups: Groups = None, strata: NDArray[Any] | None = None
    ) -> Self:
        """Takes the share of hits, or the mean of the shares of strata.

        Args:
            hits: whether each relevant observation is a hit, bool [n].
            groups: group of each, [n], any hashable labels; None: all are independent.
            strata: stratum of each, [n]; None: there is one.
        """
        found = np.asarray(hits, np.bool_)
        n = len(found)
        clusters = number_groups(groups, n)
        if not n:
            return cls(None, 0, None)
        parts = np.zeros(n, np.intp) if strata is None else number_groups(strata, n)
        value = float((np.bincount(parts, weights=found) / np.bincount(parts)).mean())
        one_group = n > 1 and not clusters.any()
        return cls(value, n, None if one_group else effective_size(found, clusters, parts))

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
    """Returns the mean over classes of their shares of right decisions, as `proportion` does.

    Args:
        right: whether each decision is right, bool [n].
        classes: class of each observation, [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
        undefined: the reason to give when there are no observations.
    """
    return Proportion.from_hits(right, groups, classes).estimate(undefined)


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


def effective_size(
    hits: NDArray[np.bool_], clusters: NDArray[np.intp], strata: NDArray[np.intp]
) -> float:
    """Returns how many independent observations clustered ones are worth for their proportion.

    It is the size that gives the binomial variance of independent observations, over the design
    effect: the variance between clusters (linearised, as for a ratio of cluster totals) over that
    of independent observations, at least 1. It is reduced for the few degrees of freedom of that
    variance (Korn and Graubard 1998; with Wilson's interval, Dean and Pagano 2015). Where all
    observations of each stratum are alike there is no variance to compare, and those of a cluster
    count as one. With few clusters of very different sizes it is still too large.

    Args:
        hits: whether each observation is a hit, [n], one or more.
        clusters: number of the cluster of each, [n], from 0 without gaps; several observations are
            of two clusters or more.
        strata: number of the stratum of each, [n], likewise: the proportion is the mean of the
            strata's, such as a balanced accuracy.
    """
    n, count = len(hits), int(clusters.max()) + 1
    sizes = np.bincount(strata)
    shares = np.bincount(strata, weights=hits) / sizes
    weights = 1 / (len(sizes) * sizes[strata])
    parts = weights * (hits - shares[strata])
    independent = float(np.square(parts).sum())
    if not independent:
        return float(1 / np.square(np.bincount(clusters, weights)).sum())
    value = float(shares.mean())
    size = n if len(sizes) == 1 else value * (1 - value) / independent
    if count == n:
        return size
    between = float(cluster_covariance(parts, clusters)[0, 0])
    effect = max(1.0, between / (independent * n / (n - 1)))
    freedom = float(stdtrit(n - 1, 0.975) / stdtrit(count - 1, 0.975)) ** 2
    return size / effect * freedom


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
