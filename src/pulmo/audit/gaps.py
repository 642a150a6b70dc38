"""Gaps: the difference of two figures of different pictures, and tests of many gaps at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pulmo.core.estimate import Z95, Estimate

LEVEL = 0.025
"""Chance of one false alarm or more among the gaps that are tested at once. The tests are
one-sided, so that a single one is decided as its 95 % interval decides it."""


def gap(first: Estimate, second: Estimate) -> Estimate:
    """Returns the first figure minus the second, with its 95 % interval.

    The interval is made of the two figures' own (square and add: Newcombe 1998, method 10; for any
    two independent figures Zou and Donner 2008), so it is right where one of them is 0 or 1. Where
    a group has pictures on both sides it is on the wide side.

    Args:
        first: a figure of some pictures.
        second: the same figure of other pictures.

    Returns:
        The difference, of the pictures of both; undefined, or without an interval, where one of the
        two is.
    """
    n = first.n + second.n
    reason = first.reason or second.reason
    if first.value is None or second.value is None:
        return Estimate.undefined(reason or "one side is undefined", n)
    value = first.value - second.value
    if first.low is None or first.high is None or second.low is None or second.high is None:
        return Estimate(value, None, None, n, reason)
    below = np.hypot(first.value - first.low, second.high - second.value)
    above = np.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - float(below), value + float(above), n)


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
