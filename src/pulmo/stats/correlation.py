"""Correlation: Spearman's rank correlation of observations that cluster."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pulmo.stats.clusters import Groups, number_groups
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap, interval_estimate, jackknife, tails
from pulmo.stats.weights import Floats, Weights, divide

_REPLICATES: Final = 2000


def spearman(
    first: ArrayLike,
    second: ArrayLike,
    groups: Groups = None,
    *,
    generator: np.random.Generator | None = None,
) -> Estimate:
    """Returns Spearman's rank correlation, -1 to 1, with its 95 % interval.

    The interval is that of BCa over groups (Efron 1987; Field and Welsh 2007). Equal values share
    the mean of their ranks.

    Args:
        first: a value of each observation, [n].
        second: another, [n].
        groups: group of each, [n], any hashable labels; None: all are independent.
        generator: draws the groups; seeded with 0 if None.

    Returns:
        The estimate; undefined where one of the two values is the same in all observations.
    """
    levels = [np.unique(np.asarray(each), return_inverse=True)[1] for each in (first, second)]
    n = len(levels[0])
    if n < 3:
        return Estimate.undefined("a correlation needs at least three observations", n)
    clusters = number_groups(groups, n)

    def statistics(weights: Weights) -> dict[str, Floats]:
        return {"rho": _rank_correlation(levels[0], levels[1], weights)}

    value = float(statistics(np.ones((1, n)))["rho"][0])
    drawn = bootstrap(statistics, clusters, _REPLICATES, generator or np.random.default_rng(0))
    ends = tails(value, drawn["rho"], jackknife(statistics, clusters)["rho"])
    return interval_estimate(value, drawn["rho"], n, "one of the values never differs", ends)


def _rank_correlation(
    first: NDArray[np.intp], second: NDArray[np.intp], weights: Weights
) -> Floats:
    """Returns the correlation of the mid-ranks of two values under weights [b, n]; NaN if none."""
    counts = np.asarray(weights, np.float64)
    total = counts.sum(axis=1, keepdims=True)
    centred = []
    for levels in (first, second):
        ranks = _mid_ranks(levels, counts)
        centred.append(ranks - (counts * ranks).sum(axis=1, keepdims=True) / total)
    x, y = centred
    spread = np.sqrt((counts * x * x).sum(axis=1) * (counts * y * y).sum(axis=1))
    return divide((counts * x * y).sum(axis=1), spread)


def _mid_ranks(levels: NDArray[np.intp], weights: Floats) -> Floats:
    """Returns the mean rank, [b, n], of the observations that share a level."""
    held = np.zeros((int(levels.max()) + 1, len(levels)))
    held[levels, np.arange(len(levels))] = 1
    counts = weights @ held.T
    ranks: Floats = np.cumsum(counts, axis=1) - (counts - 1) / 2
    return ranks[:, levels]
