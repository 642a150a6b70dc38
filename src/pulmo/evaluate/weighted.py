"""Statistics of weights: prepared once on a sample, then computed for many reweightings of it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Weights [b, n], not negative -> figures [b] or [b, K], NaN where undefined."""


def divide(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the quotients of two arrays of one shape, NaN where the denominator is 0."""
    quotients = np.full_like(numerator, np.nan)
    np.divide(numerator, denominator, out=quotients, where=denominator != 0)
    return quotients


def mean_of(values: NDArray[np.float64]) -> Statistic:
    """Returns the weighted mean of the values [n], a statistic that gives [b]."""
    return lambda weights: divide(weights @ values, weights.sum(axis=1))


def share_of(hits: NDArray[np.bool_], relevant: NDArray[np.bool_]) -> Statistic:
    """Returns the weighted share of hits among what is relevant.

    Args:
        hits: whether a picture counts in the numerator, if it is relevant; [n] or [n, K].
        relevant: whether it counts in the denominator, the same shape.

    Returns:
        A statistic that gives [b] or [b, K].
    """
    above, below = (hits & relevant).astype(np.float64), relevant.astype(np.float64)
    return lambda weights: divide(weights @ above, weights @ below)
