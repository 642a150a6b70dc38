"""The bootstrap over clusters: whole groups are drawn again, with everything that is in them."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from pulmo.core.estimate import Estimate
from pulmo.evaluate.weighted import Statistic

CHUNK_BYTES = 2 * 2**20
"""Size of the weights that are in memory at once: what stays in a core's cache is fastest."""

DEFINED = 0.95
"""Share of the resamples that must have a value for an interval to be given."""


def chunk_sizes(n: int, replicates: int) -> Iterator[int]:
    """Yields the numbers of replicates of n pictures to compute at once, `replicates` in all."""
    rows = max(1, CHUNK_BYTES // (8 * n))
    for start in range(0, replicates, rows):
        yield min(rows, replicates - start)


def resamples(
    groups: NDArray[np.intp], replicates: int, generator: np.random.Generator
) -> Iterator[NDArray[np.float64]]:
    """Yields the weights of bootstrap resamples, a chunk at a time.

    Each resample draws as many groups as there are, with replacement; a picture weighs as often as
    its group was drawn (Field and Welsh 2007).

    Args:
        groups: number of the group of each picture, [n], from 0 without gaps.
        replicates: number of resamples in all.
        generator: source of randomness; the chunks' size does not change what is drawn.

    Yields:
        float64 [b, n], the b of all chunks adding up to `replicates`.
    """
    count = int(groups.max()) + 1
    for rows in chunk_sizes(len(groups), replicates):
        drawn = np.empty((rows, count))
        for row in drawn:
            row[:] = np.bincount(generator.integers(count, size=count), minlength=count)
        yield np.take(drawn, groups, axis=1)


def bootstrap(
    statistics: Mapping[str, Statistic],
    groups: NDArray[np.intp],
    replicates: int,
    generator: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """Computes several statistics on the same resamples.

    Args:
        statistics: name -> statistic.
        groups: group of each picture, [n], from 0 without gaps.
        replicates: number of resamples.
        generator: source of randomness.

    Returns:
        Name -> figures [replicates, ...].
    """
    drawn: dict[str, list[NDArray[np.float64]]] = {name: [] for name in statistics}
    for weights in resamples(groups, replicates, generator):
        for name, statistic in statistics.items():
            drawn[name].append(statistic(weights))
    return {name: np.concatenate(chunks) for name, chunks in drawn.items()}


def percentile_estimate(
    value: float, draws: NDArray[np.float64], n: int, undefined: str
) -> Estimate:
    """Returns a figure with its percentile interval, from the 2.5th to the 97.5th (Efron 1981).

    Args:
        value: the figure of the sample itself; NaN where undefined.
        draws: the figure of each resample, NaN where undefined.
        n: number of pictures.
        undefined: the reason to give when `value` is undefined.

    Returns:
        The estimate; without an interval, and with the reason, when more than one resample in
        twenty has no value, or when all have the same.
    """
    if np.isnan(value):
        return Estimate.undefined(undefined, n)
    defined = draws[~np.isnan(draws)]
    if len(defined) < DEFINED * len(draws):
        reason = f"{1 - len(defined) / len(draws):.0%} of the resamples have no value"
        return Estimate(float(value), None, None, n, reason)
    low, high = (float(end) for end in np.percentile(defined, (2.5, 97.5)))
    if low == high:
        reason = "all resamples give the same value, which says nothing of its uncertainty"
        return Estimate(float(value), None, None, n, reason)
    return Estimate(float(value), low, high, n)


def without_interval(estimate: Estimate, reason: str) -> Estimate:
    """Takes the interval from a figure for `reason`; one without a value keeps its own reason."""
    if estimate.value is None:
        return estimate
    return estimate._replace(low=None, high=None, reason=reason)


def without_interval_if_scarce(
    estimate: Estimate, positive: NDArray[np.bool_], groups: NDArray[np.intp]
) -> Estimate:
    """Takes the interval from a figure of positives against negatives that too few groups give.

    One group with positives, or one with negatives, shows nothing of how groups differ.

    Args:
        estimate: the figure.
        positive: whether each picture is positive, [n].
        groups: group of each picture, [n].
    """
    for side, word in ((positive, "with"), (~positive, "without")):
        found = len(np.unique(groups[side]))
        if found < 2:
            reason = f"pictures {word} it come from {found} group{'' if found == 1 else 's'} only"
            return without_interval(estimate, reason)
    return estimate
