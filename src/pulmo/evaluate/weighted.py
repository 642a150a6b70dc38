"""Figures of weights: what divides by a weight that may be nothing has no value then."""

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.number]
"""[b, n], not negative: how often each of n pictures counts in each of b samples."""

Floats = NDArray[np.float64]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Returns the quotients of two arrays, NaN where the denominator is 0."""
    above, below = np.broadcast_arrays(numerator, denominator)
    quotients = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotients, where=below != 0)
    return quotients
