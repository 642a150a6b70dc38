"""Levels: the values of a fact as few numbers, so that its association can be measured."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BINS: Final = 10
"""A number with more values than these is binned by its deciles."""

RARE: Final = 5
"""Values of fewer images are taken together: their counts say nothing one by one."""


def levels_of(values: pd.Series) -> NDArray[np.intp]:
    """Returns the level of each value, from 0 without gaps.

    A number with more than `BINS` different values is binned by its deciles, after each value that
    a tenth of the images have got a level of its own. Levels with fewer than `RARE` images
    become one.

    Args:
        values: without nulls.
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    codes = _binned(values.to_numpy(float)) if numeric else pd.factorize(values)[0]
    counts = np.bincount(codes)
    return _without_gaps(np.where(counts[codes] < RARE, -1, codes))


def _binned(values: NDArray[np.float64]) -> NDArray[np.intp]:
    distinct, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    if len(distinct) <= BINS:
        return codes
    frequent = counts[codes] >= len(values) / BINS
    rest = values[~frequent]
    edges = np.unique(np.quantile(rest, np.linspace(0, 1, BINS + 1)[1:-1]))
    codes[~frequent] = len(distinct) + np.searchsorted(edges, rest)
    return _without_gaps(codes)


def _without_gaps(codes: NDArray[np.intp]) -> NDArray[np.intp]:
    return np.unique(codes, return_inverse=True)[1].astype(np.intp)
