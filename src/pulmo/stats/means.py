"""Means: of observations that cluster, and of runs whose training data overlap."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from pulmo.stats.clusters import Groups, cluster_covariance, number_groups
from pulmo.stats.estimate import Estimate

ANY_VALUE = (-math.inf, math.inf)
"""The bounds of what has none."""

ONE_GROUP = "all observations are of one group"


def mean(
    values: ArrayLike,
    groups: Groups = None,
    *,
    bounds: tuple[float, float] = ANY_VALUE,
    undefined: str = "there are no observations",
) -> Estimate:
    """Returns a mean with its 95 % interval: Student's, with the variance between groups.

    Args:
        values: [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
        bounds: the lowest and the highest value that the mean can have.
        undefined: the reason to give when there are no observations.

    Returns:
        The estimate; without an interval where all observations are of one group.
    """
    numbers = np.asarray(values, np.float64)
    clusters = number_groups(groups, len(numbers))
    if not len(numbers):
        return Estimate.undefined(undefined)
    n, value = len(numbers), float(numbers.mean())
    count = int(clusters.max()) + 1
    if count == 1:
        return Estimate(value, None, None, n, ONE_GROUP)
    error = math.sqrt(cluster_covariance((numbers - value) / n, clusters)[0, 0])
    return student_estimate(value, error, count - 1, n, bounds)


def student_estimate(
    value: float,
    error: float,
    freedom: int,
    n: int,
    bounds: tuple[float, float] = ANY_VALUE,
) -> Estimate:
    """Returns a value with Student's 95 % interval, cut at the bounds.

    Args:
        value: the value.
        error: its standard error.
        freedom: degrees of freedom of that error, 1 or more.
        n: number of observations.
        bounds: the lowest and the highest value that it can have.
    """
    reach = float(stdtrit(freedom, 0.975)) * error
    return Estimate(value, max(value - reach, bounds[0]), min(value + reach, bounds[1]), n)


def corrected_mean(
    values: Sequence[float], ratio: float, bounds: tuple[float, float] = ANY_VALUE
) -> Estimate:
    """Returns the mean of J runs with the 95 % interval of the corrected resampled t.

    Runs that share training data vary less than runs on new data would. So the variance of the
    mean is taken as (1 / J + n_test / n_train) times that of the runs (Nadeau and Bengio 2003),
    with J - 1 degrees of freedom.

    Args:
        values: the value of each run.
        ratio: n_test / n_train; 0 gives Student's interval, for runs that differ by chance alone.
        bounds: the lowest and the highest value that it can have.

    Returns:
        The estimate; its `n` is J. It has no interval for one run, or where all runs agree.
    """
    runs = np.asarray(values, np.float64)
    count = len(runs)
    if count == 0:
        return Estimate.undefined("no run has a value")
    value = float(runs.mean())
    if count == 1:
        return Estimate(value, None, None, 1, "one run does not show how runs differ")
    spread = float(runs.std(ddof=1))
    if spread == 0:
        return Estimate(value, None, None, count, "all runs have the same value")
    return student_estimate(value, spread * math.sqrt(1 / count + ratio), count - 1, count, bounds)
