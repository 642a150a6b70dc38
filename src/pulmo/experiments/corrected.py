"""The mean of a figure over runs whose training pictures overlap."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import t

from pulmo.core.estimate import Estimate


def corrected_mean(
    values: Sequence[float], ratio: float, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """Returns the mean of J runs with the 95 % interval of the corrected resampled t.

    Runs that share training pictures vary less than runs on new pictures would. So the variance of
    the mean is taken as (1 / J + n_test / n_train) times that of the runs (Nadeau and Bengio 2003),
    with J - 1 degrees of freedom.

    Args:
        values: the figure of each run.
        ratio: n_test / n_train; 0 gives Student's interval, for runs that differ by chance alone.
        bounds: the lowest and the highest value that the figure can have.

    Returns:
        The estimate; its `n` is J. It has no interval for one run, or where all runs agree.
    """
    runs = np.asarray(values, float)
    count = len(runs)
    if count == 0:
        return Estimate.undefined("no run has a value")
    mean = float(runs.mean())
    if count == 1:
        return Estimate(mean, None, None, 1, "one run shows nothing of how runs differ")
    spread = float(runs.std(ddof=1))
    if spread == 0:
        return Estimate(mean, None, None, count, "all runs have the same value")
    reach = float(t.ppf(0.975, count - 1)) * spread * math.sqrt(1 / count + ratio)
    return Estimate(mean, max(mean - reach, bounds[0]), min(mean + reach, bounds[1]), count)
