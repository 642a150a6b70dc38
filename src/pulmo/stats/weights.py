"""Weights: a resample is how often each observation counts, not a copy of rows."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

Weights = NDArray[np.number]
"""[b, n], not negative: how often each of n observations counts in each of b samples."""

Floats = NDArray[np.float64]

CHUNK_BYTES: Final = 8 * 2**20
"""Size of the weights, as float64, that a thread computes with at once."""

BLOCKS: Final = 200
"""Most parts of a jackknife."""


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """Returns the quotients of two arrays, NaN where the denominator is 0: nothing weighs there."""
    above, below = np.broadcast_arrays(numerator, denominator)
    quotients = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotients, where=below != 0)
    return quotients


def chunk_sizes(n: int, replicates: int) -> Iterator[int]:
    """Yields the numbers of replicates of n observations to compute at once, all in all."""
    rows = max(1, CHUNK_BYTES // (8 * n))
    for start in range(0, replicates, rows):
        yield min(rows, replicates - start)


def draw_weights(clusters: NDArray[np.intp], generators: list[np.random.Generator]) -> Weights:
    """Returns the weights of bootstrap resamples, uint8 [b, n], one resample a generator.

    Each resample draws as many clusters as there are, with replacement; an observation weighs as
    often as its cluster was drawn (Field and Welsh 2007). That one of many clusters is drawn more
    than 255 times has a probability below 1e-500.

    Args:
        clusters: number of the cluster of each observation, [n], from 0 without gaps.
        generators: sources of randomness.
    """
    count = int(clusters.max()) + 1
    drawn = np.empty((len(generators), count), np.uint8)
    for row, generator in zip(drawn, generators, strict=True):
        # 32 bits are drawn several times faster than 64.
        chosen = generator.integers(count, size=count, dtype=np.uint32).astype(np.intp)
        row[:] = np.bincount(chosen, minlength=count)
    return np.take(drawn, clusters, axis=1)


def jackknife_weights(clusters: NDArray[np.intp]) -> Weights:
    """Returns weights that leave out one part of the clusters at a time, uint8 [parts, n].

    A part is one cluster, or a block of them where there are more than 200. The acceleration of
    blocks estimates that of single clusters: a sum of m has 1/sqrt(m) of the skewness, but there
    are m times fewer.

    Args:
        clusters: number of the cluster of each observation, [n], from 0 without gaps.
    """
    count = int(clusters.max()) + 1
    parts = min(count, BLOCKS)
    part = (np.arange(count) % parts)[clusters]
    return np.asarray(part != np.arange(parts)[:, None], np.uint8)
