"""Association: Cramer's V between two divisions into kinds, with its interval."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from pulmo.stats.clusters import Groups, number_groups
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap
from pulmo.stats.weights import Floats, Weights

REPLICATES: Final = 500


def cramers_v(
    levels: NDArray[Any], classes: NDArray[Any], groups: Groups, generator: np.random.Generator
) -> Estimate:
    """Returns Cramer's V, corrected for bias (Bergsma 2013), with a 95 % interval.

    The interval is the percentiles of a bootstrap over groups (Field and Welsh 2007) of the mean
    square contingency, less twice its bias, which the bootstrap shows: chance moves it up once in
    the sample and once more in each resample. So it begins at 0 where nothing is associated, and
    is wider where the observations of a group are alike.

    Args:
        levels: level of each observation, [n].
        classes: class of each observation, [n], two or more different.
        groups: group of each, [n], any hashable labels; None: all are independent.
        generator: draws the groups.
    """
    n = len(levels)
    row, column, group = (number_groups(each, n) for each in (levels, classes, groups))
    rows, columns, clusters = (int(each.max()) + 1 for each in (row, column, group))
    if rows < 2:
        return Estimate.undefined("there is one value, or each is too rare to count", n)
    cells = row * columns + column
    counts = np.bincount(cells, minlength=rows * columns).astype(float)
    phi2 = float(_contingency(counts.reshape(1, rows, columns))[0])
    # Bergsma 2013, section 3: what chance alone adds, and what is left of the largest value.
    chance = (rows - 1) * (columns - 1) / (n - 1)
    largest = min(side - (side - 1) ** 2 / (n - 1) for side in (rows, columns)) - 1
    members = csr_array((np.ones(n), (group, cells)), shape=(clusters, rows * columns))

    def contingency(weights: Weights) -> dict[str, Floats]:
        counted = np.asarray(members.T @ weights.T).T
        return {"phi2": _contingency(counted.reshape(-1, rows, columns))}

    drawn = bootstrap(contingency, np.arange(clusters), REPLICATES, generator)["phi2"]
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
