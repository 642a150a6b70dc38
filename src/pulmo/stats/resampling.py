"""The bootstrap over clusters: whole groups are drawn again, with everything that is in them.

Its intervals are percentiles of the resamples (Efron 1981), or BCa: the percentiles that bias and
acceleration lead to (Efron 1987).
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from contextlib import closing
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pulmo.core.parallel import in_threads
from pulmo.stats.clusters import number_groups
from pulmo.stats.estimate import Estimate
from pulmo.stats.weights import Floats, Weights, chunk_sizes, draw_weights, jackknife_weights

DEFINED: Final = 0.95
"""Share of the resamples that must have a value for an interval to be given."""

TAILS: Final = (0.025, 0.975)
"""The quantiles of a percentile interval."""

Statistics = Callable[[Weights], Mapping[str, Floats]]
"""Weights [b, n] -> name -> values [b, ...], NaN where undefined."""


def bootstrap(
    statistics: Statistics,
    groups: Sequence[Hashable] | NDArray[Any],
    replicates: int,
    generator: np.random.Generator,
) -> dict[str, Floats]:
    """Computes several statistics on the same resamples, in one thread a core.

    Args:
        statistics: computes them; it must not write to what it is given.
        groups: group of each observation, [n], any hashable labels.
        replicates: number of resamples.
        generator: source of randomness. Each resample has a child of its own, so neither the number
            of threads nor the size of a chunk changes what is drawn.

    Returns:
        Name -> values [replicates, ...].
    """
    n = len(groups)
    clusters = number_groups(groups, n)
    children = iter(generator.spawn(replicates))
    chunks = [[next(children) for _ in range(rows)] for rows in chunk_sizes(n, replicates)]
    with closing(
        in_threads(lambda chunk: statistics(draw_weights(clusters, chunk)), chunks)
    ) as results:
        found = list(results)
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def jackknife(
    statistics: Statistics, groups: Sequence[Hashable] | NDArray[Any]
) -> dict[str, Floats]:
    """Computes several statistics without one part of the groups at a time.

    Args:
        statistics: computes them, as for `bootstrap`.
        groups: group of each observation, likewise.

    Returns:
        Name -> values [parts, ...].
    """
    parts = jackknife_weights(number_groups(groups, len(groups)))
    pieces = [statistics(chunk) for chunk in np.array_split(parts, max(1, parts.size // 2**20))]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def tails(value: float, draws: Floats, left_out: Floats) -> tuple[float, float]:
    """Returns the quantiles of the resamples that bias and acceleration lead to.

    They are those of Efron and Tibshirani 1993, equations 14.10, 14.14 and 14.15. Where the
    resamples have no median bias that can be estimated (all lie on one side of the value), or a
    value of the jackknife is undefined, they are 0.025 and 0.975: those of the percentile interval.

    Args:
        value: the value of the sample.
        draws: the value of each resample; NaN where undefined.
        left_out: the value without each part of the sample.
    """
    defined = draws[~np.isnan(draws)]
    if not len(defined) or np.isnan(left_out).any():
        return TAILS
    # Half of the draws that equal the value lie below it.
    below = float(((defined < value).mean() + (defined <= value).mean()) / 2)
    if below in {0.0, 1.0}:
        return TAILS
    bias = float(ndtri(below))
    influence = left_out.mean() - left_out
    squares = float(np.square(influence).sum())
    acceleration = float((influence**3).sum()) / (6 * squares**1.5) if squares else 0.0
    low, high = (
        float(ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))) for z in ndtri(TAILS)
    )
    return low, high


def interval_estimate(
    value: float, draws: Floats, n: int, undefined: str, tails: tuple[float, float] = TAILS
) -> Estimate:
    """Returns a value with the interval between two quantiles of its resamples.

    Args:
        value: the value of the sample itself; NaN where undefined.
        draws: the value of each resample, NaN where undefined.
        n: number of observations.
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
        reason = "all resamples give the same value, so its uncertainty cannot be estimated"
        return Estimate(float(value), None, None, n, reason)
    return Estimate(float(value), low, high, n)
