"""Gaps: tests of many differences of figures at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pulmo.core.estimate import Z95, Estimate

LEVEL = 0.025
"""Chance of one false alarm or more among the gaps that are tested at once. The tests are
one-sided, so that a single one is decided as its 95 % interval decides it."""


def chance_above(figure: Estimate, bound: float) -> float:
    """Returns the probability of such a figure, or a higher one, if its true value were `bound`.

    It is one-sided and normal, with the standard error that the lower side of the interval stands
    for, so that it is below 0.025 just where the interval lies above `bound`; 1 without an
    interval.
    """
    if figure.value is None or figure.low is None:
        return 1.0
    error = (figure.value - figure.low) / Z95
    if error <= 0:
        return float(figure.value <= bound)
    return float(norm.sf((figure.value - bound) / error))


def holm(chances: Sequence[float]) -> NDArray[np.float64]:
    """Returns p-values that are adjusted for their number by the step-down method of Holm 1979.

    Args:
        chances: p-values, [k].

    Returns:
        [k]: those below `LEVEL` are rejected, with a chance of `LEVEL` of a false one or more.
    """
    given = np.asarray(chances, float)
    order = np.argsort(given, kind="stable")
    steps = np.arange(len(given), 0, -1)
    adjusted = np.empty(len(given))
    adjusted[order] = np.minimum(np.maximum.accumulate(given[order] * steps), 1.0)
    return adjusted


def surely_above(figures: Sequence[Estimate], bound: float) -> NDArray[np.bool_]:
    """Tells which of several figures are surely above a bound, with Holm's adjustment, [k]."""
    return holm([chance_above(figure, bound) for figure in figures]) < LEVEL
