"""Shares and means of clustered images with their intervals."""

from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from pulmo.core.estimate import Estimate, wilson


def share_estimate(hits: NDArray[np.bool_], groups: NDArray[np.intp]) -> Estimate:
    """Returns the share of hits with Wilson's interval, in which each group counts once.

    Args:
        hits: whether each relevant picture is a hit, [n].
        groups: group of each, [n].
    """
    if not len(hits):
        return Estimate.undefined("there is no such picture")
    share = float(hits.mean())
    return Estimate(share, *wilson(share, len(np.unique(groups))), len(hits))


def mean_estimate(values: NDArray[np.float64], groups: NDArray[np.intp]) -> Estimate:
    """Returns a mean with its 95 % interval, Student's with the variance between groups.

    Args:
        values: [n], one or more.
        groups: group of each, [n].
    """
    n, mean = len(values), float(values.mean())
    members = np.unique(groups, return_inverse=True)[1]
    count = int(members.max()) + 1
    if count == 1:
        return Estimate(mean, None, None, n, "the pictures are of one patient or group")
    residuals = np.bincount(members, weights=values - mean)
    error = sqrt(count / (count - 1) * float(np.square(residuals).sum())) / n
    reach = float(stdtrit(count - 1, 0.975)) * error
    return Estimate(mean, mean - reach, mean + reach, n)
