"""Clusters: observations that belong together, and the variance between them."""

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import UsageError

Groups = NDArray[Any] | Iterable[Hashable] | None
"""The group of each observation, [n], as any hashable labels; None: all are independent."""


def number_groups(groups: Groups, n: int) -> NDArray[np.intp]:
    """Returns the number of the group of each of n observations, from 0 without gaps.

    Raises:
        UsageError: there are not n groups, or some are missing (None or NaN). An unknown patient
            is not the same patient as another unknown one.
    """
    if groups is None:
        return np.arange(n)
    if isinstance(groups, np.ndarray) and groups.ndim == 1 and groups.dtype.kind in "iubUS":
        numbers = np.unique(groups, return_inverse=True)[1].astype(np.intp)
    else:
        numbers = _numbered(groups)
    if len(numbers) != n:
        raise UsageError(
            "groups-length-differs", f"There are {n:,} observations, but {len(numbers):,} groups."
        )
    return numbers


def cluster_covariance(
    parts: NDArray[np.float64], clusters: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Returns the covariance, [k, k], of k sums over observations that cluster.

    It is the sum over the C clusters of the outer product of each cluster's own sum, times
    C / (C - 1) (Liang and Zeger 1986): the linearised variance of an estimate, if `parts` are what
    each observation adds to its deviation from the truth.

    Args:
        parts: what each observation adds to each sum, [n, k] or, for k = 1, [n]; each column sums
            to about 0.
        clusters: number of the cluster of each, [n], from 0 without gaps, two or more clusters.
    """
    columns = np.atleast_2d(parts.T)
    sums = np.stack([np.bincount(clusters, weights=column) for column in columns])
    count = sums.shape[1]
    return np.asarray(sums @ sums.T * count / (count - 1))


def _numbered(groups: Iterable[Hashable]) -> NDArray[np.intp]:
    seen: dict[Hashable, int] = {}
    numbers = []
    for label in groups:
        if _is_missing(label):
            raise UsageError(
                "group-missing",
                "A group is missing. If the observation of an unknown patient may count as "
                "independent, give it a group of its own. Otherwise remove it.",
            )
        numbers.append(seen.setdefault(label, len(seen)))
    return np.array(numbers, np.intp)


def _is_missing(label: object) -> bool:
    try:
        return label is None or bool(label != label)  # noqa: PLR0124 - NaN alone differs from itself
    except TypeError:
        return True  # pandas' NA is neither equal to itself nor different
