"""Intervals in closed form: of proportions, ratios of them, and areas under ROC curves.

Where pictures cluster in patients, each counts as many pictures as are independent.
"""

from math import exp, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit

from pulmo.core.estimate import Z95, Estimate, wilson
from pulmo.evaluate.paired import auc_covariance


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
    def of(cls, hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> "Proportion":
        """Takes the share of hits [n] of observations in groups [n]."""
        n = len(hits)
        if n == 0:
            return cls(None, 0, None)
        if n > 1 and (groups == groups[0]).all():
            return cls(float(hits.mean()), n, None)
        return cls(float(hits.mean()), n, effective_size(hits, groups))

    @property
    def opposite(self) -> "Proportion":
        """The share of what is no hit."""
        return self._replace(value=None if self.value is None else 1 - self.value)

    def estimate(self, undefined: str) -> Estimate:
        """Returns the share with Wilson's interval, `undefined` being why there is none."""
        if self.value is None:
            return Estimate.undefined(undefined)
        if self.size is None:
            return Estimate(self.value, None, None, self.n, self.one_group)
        return Estimate(self.value, *wilson(self.value, self.size), self.n)

    @property
    def one_group(self) -> str:
        """Why it has no size."""
        return f"its {self.n} pictures are of one patient or group"


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
    """Returns the share of hits with its 95 % interval, Wilson's.

    Args:
        hits: whether each relevant observation is a hit, [n].
        groups: group of each observation, [n].
        undefined: the reason to give when there are no observations.
    """
    return Proportion.of(hits, groups).estimate(undefined)


def ratio_estimate(above: Proportion, below: Proportion, undefined: str) -> Estimate:
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
        return Estimate(0.0, None, None, n, "a ratio of 0 has no logarithm to make an interval of")
    variance = 0.0
    for side in (above, below):
        if side.value is None or side.size is None:
            return Estimate(value, None, None, n, side.one_group)
        variance += (1 - side.value) / (side.value * side.size)
    if not variance:
        reason = "both shares are 1, which says nothing of the uncertainty of their ratio"
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
        return Estimate.undefined("it needs positive and negative pictures", n)
    called = right.value * prevalence + wrong.value * (1 - prevalence)
    if not called:
        return Estimate.undefined("nothing was called so", n)
    value = right.value * prevalence / called
    ratio = ratio_estimate(right, wrong, "no call was wrong, which says nothing of how few are")
    if ratio.low is None or ratio.high is None:
        return Estimate(value, None, None, n, ratio.reason)
    odds = prevalence / (1 - prevalence)
    low, high = (odds * end / (1 + odds * end) for end in (ratio.low, ratio.high))
    return Estimate(value, low, high, n)


def auc_estimate(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    groups: NDArray[np.intp],
    undefined: str,
) -> Estimate:
    """Returns the area under a ROC curve with its 95 % interval.

    The variance is that of DeLong et al. 1988, or of Obuchowski 1997 where pictures cluster; the
    interval is made of it on the logit scale, which keeps it within 0 and 1 and covers better where
    the area is high (Qin and Hotilovac 2008).

    Args:
        scores: [n], high for positives.
        positive: whether each picture is positive, [n].
        groups: group of each picture, [n].
        undefined: the reason to give when there are no positives or no negatives.
    """
    n = len(scores)
    if positive.all() or not positive.any():
        return Estimate.undefined(undefined, n)
    areas, covariance = auc_covariance(scores[None], positive, groups)
    area = min(max(float(areas[0]), 0.0), 1.0)
    for side, word in ((positive, "with"), (~positive, "without")):
        if len(np.unique(groups[side])) < 2:
            return Estimate(area, None, None, n, f"pictures {word} it come from 1 group only")
    error = sqrt(max(float(covariance[0, 0]), 0.0))
    if not error or area in {0.0, 1.0}:
        how = "part both sides fully" if area in {0.0, 1.0} else "do not part the sides at all"
        reason = f"the scores {how}, which says nothing of its uncertainty"
        return Estimate(area, None, None, n, reason)
    centre, reach = float(logit(area)), Z95 * error / (area * (1 - area))
    return Estimate(area, float(expit(centre - reach)), float(expit(centre + reach)), n)
