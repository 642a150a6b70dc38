"""Many differences that are tested at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from pulmo.stats.estimate import Z95, Estimate

LEVEL = 0.025
"""Chance of one false alarm or more among the differences that are tested at once. The tests are
one-sided, so that a single one is decided as its 95 % interval decides it."""


def chance_above(estimate: Estimate, bound: float) -> float:
    """Returns the probability of such a value, or a higher one, if the true one were `bound`.

    It is one-sided and normal, with the standard error that the lower side of the interval stands
    for, so that it is below 0.025 just where the interval lies above `bound`; 1 without an
    interval.
    """
    if estimate.value is None or estimate.low is None:
        return 1.0
    error = (estimate.value - estimate.low) / Z95
    if error <= 0:
        return float(estimate.value <= bound)
    return float(norm.sf((estimate.value - bound) / error))


def holm(chances: ArrayLike) -> NDArray[np.float64]:
    """Returns p-values that are adjusted for their number by the step-down method of Holm 1979.

    The k-th lowest of m is multiplied by m - k + 1, and is no lower than the one before it.

    Args:
        chances: p-values, [m].

    Returns:
        [m]: to reject those below a level has that chance of one false rejection or more.
    """
    given = np.asarray(chances, np.float64)
    order = np.argsort(given, kind="stable")
    steps = np.arange(len(given), 0, -1)
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * steps), 1.0)
    return adjusted


def significantly_above(estimates: Sequence[Estimate], bound: float) -> NDArray[np.bool_]:
    """Tells which of several estimates are surely above a bound, with Holm's adjustment, [k]."""
    return holm([chance_above(each, bound) for each in estimates]) < LEVEL
