"""BCa: which quantiles of the resamples are the ends of an interval (Efron 1987)."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from pulmo.evaluate.bootstrap import Statistics
from pulmo.evaluate.weighted import Floats, Weights

BLOCKS: Final = 200
"""Most parts of a jackknife."""

TAILS: Final = (0.025, 0.975)


def jackknife_weights(groups: NDArray[np.intp]) -> Weights:
    """Returns weights that leave out one part of the groups at a time, uint8 [parts, n].

    A part is one group, or a block of them where there are more than 200. The acceleration of
    blocks estimates that of single groups: a sum of m has 1/sqrt(m) of the skewness, but there are
    m times fewer.

    Args:
        groups: number of the group of each picture, [n], from 0 without gaps.
    """
    count = int(groups.max()) + 1
    parts = min(count, BLOCKS)
    part = (np.arange(count) % parts)[groups]
    return np.asarray(part != np.arange(parts)[:, None], np.uint8)


def jackknife(statistics: Statistics, groups: NDArray[np.intp]) -> dict[str, Floats]:
    """Computes several statistics without one part of the groups at a time.

    Args:
        statistics: computes them, as for `pulmo.evaluate.bootstrap.bootstrap`.
        groups: group of each picture, [n], from 0 without gaps.

    Returns:
        Name -> figures [parts, ...].
    """
    parts = jackknife_weights(groups)
    pieces = [statistics(chunk) for chunk in np.array_split(parts, max(1, parts.size // 2**20))]
    return {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}


def tails(value: float, draws: Floats, left_out: Floats) -> tuple[float, float]:
    """Returns the quantiles of the resamples that bias and acceleration lead to.

    They are those of Efron and Tibshirani 1993, equations 14.10, 14.14 and 14.15. Where the
    resamples have no median bias that could be told (all lie on one side of the value), or a figure
    of the jackknife is undefined, they are 0.025 and 0.975: those of the percentile interval.

    Args:
        value: the figure of the sample.
        draws: the figure of each resample; NaN where undefined.
        left_out: the figure without each part of the sample.
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
