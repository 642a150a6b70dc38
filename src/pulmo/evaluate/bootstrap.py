"""The bootstrap over clusters: whole groups are drawn again, with everything that is in them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.estimate import Estimate
from pulmo.datasets.parallel import in_threads
from pulmo.evaluate.weighted import Floats, Weights

CHUNK_BYTES: Final = 8 * 2**20
"""Size of the weights, as float64, that a thread computes with at once."""

DEFINED: Final = 0.95
"""Share of the resamples that must have a value for an interval to be given."""

Statistics = Callable[[Weights], Mapping[str, Floats]]
"""Weights [b, n] -> name -> figures [b, ...], NaN where undefined."""


def chunk_sizes(n: int, replicates: int) -> Iterator[int]:
    """Yields the numbers of replicates of n pictures to compute at once, `replicates` in all."""
    rows = max(1, CHUNK_BYTES // (8 * n))
    for start in range(0, replicates, rows):
        yield min(rows, replicates - start)


def draw_weights(groups: NDArray[np.intp], generators: list[np.random.Generator]) -> Weights:
    """Returns the weights of bootstrap resamples, uint8 [b, n], one resample a generator.

    Each resample draws as many groups as there are, with replacement; a picture weighs as often as
    its group was drawn (Field and Welsh 2007). That one of many groups is drawn more than 255 times
    has a probability below 1e-500.

    Args:
        groups: number of the group of each picture, [n], from 0 without gaps.
        generators: sources of randomness.
    """
    count = int(groups.max()) + 1
    drawn = np.empty((len(generators), count), np.uint8)
    for row, generator in zip(drawn, generators, strict=True):
        # 32 bits are drawn several times faster than 64.
        chosen = generator.integers(count, size=count, dtype=np.uint32).astype(np.intp)
        row[:] = np.bincount(chosen, minlength=count)
    return np.take(drawn, groups, axis=1)


def bootstrap(
    statistics: Statistics,
    groups: NDArray[np.intp],
    replicates: int,
    generator: np.random.Generator,
) -> dict[str, Floats]:
    """Computes several statistics on the same resamples, in one thread a core.

    Args:
        statistics: computes them; it must not write to what it is given.
        groups: group of each picture, [n], from 0 without gaps.
        replicates: number of resamples.
        generator: source of randomness. Each resample has a child of its own, so neither the number
            of threads nor the size of a chunk changes what is drawn.

    Returns:
        Name -> figures [replicates, ...].
    """
    children = iter(generator.spawn(replicates))
    chunks = [
        [next(children) for _ in range(rows)] for rows in chunk_sizes(len(groups), replicates)
    ]
    with closing(
        in_threads(lambda chunk: statistics(draw_weights(groups, chunk)), chunks)
    ) as results:
        found = list(results)
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def interval_estimate(
    value: float, draws: Floats, n: int, undefined: str, tails: tuple[float, float] = (0.025, 0.975)
) -> Estimate:
    """Returns a figure with the interval between two quantiles of its resamples.

    Args:
        value: the figure of the sample itself; NaN where undefined.
        draws: the figure of each resample, NaN where undefined.
        n: number of pictures.
        undefined: the reason to give when `value` is undefined.
        tails: the quantiles: those of the percentile interval (Efron 1981), or of BCa.

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
    low, high = (float(end) for end in np.quantile(defined, tails))
    if np.isclose(low, high, rtol=1e-9, atol=1e-12):  # rounding aside, they are the same
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
