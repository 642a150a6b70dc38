"""Association: Cramer's V between a fact and the class, corrected for bias, with its interval."""

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pulmo.core.estimate import Estimate

BINS: Final = 10
"""A number with more values than these is binned by its deciles."""

RARE: Final = 5
"""Values of fewer pictures are taken together: their counts say nothing one by one."""

REPLICATES: Final = 500

_CHUNK: Final = 2**21  # weights of groups that are in memory at once


def levels_of(values: pd.Series) -> NDArray[np.intp]:
    """Returns the level of each value, from 0 without gaps.

    A number with more than `BINS` different values is binned by its deciles, after each value that
    a tenth of the pictures have got a level of its own. Levels with fewer than `RARE` pictures
    become one.

    Args:
        values: without nulls.
    """
    numeric = pd.api.types.is_numeric_dtype(values)
    codes = _binned(values.to_numpy(float)) if numeric else pd.factorize(values)[0]
    counts = np.bincount(codes)
    return _without_gaps(np.where(counts[codes] < RARE, -1, codes))


def cramers_v(
    levels: NDArray[np.intp],
    classes: NDArray[np.intp],
    groups: NDArray[np.intp],
    generator: np.random.Generator,
) -> Estimate:
    """Returns Cramer's V, corrected for bias (Bergsma 2013), with a 95 % interval.

    The interval is the percentiles of a bootstrap over groups (Field and Welsh 2007) of the mean
    square contingency, less twice its bias, which the bootstrap shows: chance moves it up once in
    the sample and once more in each resample. So it begins at 0 where nothing is associated, and
    is wider where the pictures of a group are alike.

    Args:
        levels: level of each picture, [n], from 0 without gaps.
        classes: class of each picture, [n], likewise, two or more.
        groups: group of each picture, [n], likewise.
        generator: draws the groups.
    """
    n, rows, columns = len(levels), int(levels.max()) + 1, int(classes.max()) + 1
    if rows < 2:
        return Estimate.undefined("there is one value, or each is too rare to count", n)
    cells = levels * columns + classes
    counts = np.bincount(cells, minlength=rows * columns).astype(float)
    phi2 = float(_contingency(counts.reshape(1, rows, columns))[0])
    # Bergsma 2013, section 3: what chance alone adds, and what is left of the largest value.
    chance = (rows - 1) * (columns - 1) / (n - 1)
    largest = min(side - (side - 1) ** 2 / (n - 1) for side in (rows, columns)) - 1
    clusters = int(groups.max()) + 1
    members = csr_array((np.ones(n), (groups, cells)), shape=(clusters, rows * columns))
    drawn = _contingency(_resampled(members, generator).reshape(-1, rows, columns))
    ends = np.percentile(drawn, (2.5, 97.5)) - 2 * (drawn.mean() - phi2)
    value, low, high = np.sqrt(np.clip(np.array([phi2 - chance, *ends]) / largest, 0, 1)).tolist()
    return Estimate(value, min(low, value), max(high, value), n)


def _contingency(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns the mean square contingency, chi-squared over n, of tables [b, rows, columns]."""
    shares = counts / counts.sum(axis=(1, 2), keepdims=True)
    expected = shares.sum(axis=2, keepdims=True) * shares.sum(axis=1, keepdims=True)
    # A resample may lack a row or a column, which then adds nothing.
    parts = np.divide(
        np.square(shares - expected), expected, out=np.zeros_like(shares), where=expected > 0
    )
    total: NDArray[np.float64] = parts.sum(axis=(1, 2))
    return total


def _resampled(members: csr_array, generator: np.random.Generator) -> NDArray[np.float64]:
    """Returns the counts [b, cells] of resamples of groups whose counts are [groups, cells]."""
    clusters = members.shape[0]
    size = max(1, _CHUNK // clusters)
    chunks = []
    for start in range(0, REPLICATES, size):
        drawn = np.empty((clusters, min(size, REPLICATES - start)))
        for column in drawn.T:
            column[:] = np.bincount(generator.integers(clusters, size=clusters), minlength=clusters)
        chunks.append((members.T @ drawn).T)
    return np.concatenate(chunks)


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
