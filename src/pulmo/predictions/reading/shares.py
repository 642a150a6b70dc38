"""Shares: columns of probabilities as numbers from 0 to 1, from per cent and few digits too."""

from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.predictions.reading.score_columns import Score
from pulmo.predictions.reading.values import as_numbers
from pulmo.predictions.table import TOLERANCE

_DIGITS: Final = (2, 3)
"""Digits behind the point to which probabilities count as rounded."""

_EXACT: Final = 1e-4
"""How far a rounded value may be from a whole number of its last digit: single precision."""


class Share(NamedTuple):
    """A column of probabilities.

    Attributes:
        array: float64 [n], NaN where one is missing.
        percent: whether they were per cent.
    """

    array: NDArray[np.float64]
    percent: bool


def read_score(table: pd.DataFrame, score: Score, *, decimal_comma: bool) -> Share | None:
    """Returns a column of probabilities; None where it holds no numbers.

    Raises:
        InputError: its name says per cent, and its values do not; or they are per cent, and nothing
            says so.
    """
    column = table[score.column]
    found = as_numbers(column, decimal_comma=decimal_comma)
    if found is None or np.isnan(found.array).all():
        return None
    values, highest = found.array, float(np.nanmax(found.array))
    if found.percent or score.percent:
        if not found.percent and highest <= 1:
            raise InputError(
                "percent-doubtful",
                f"The name of the column {score.column} says per cent, but none of its values is "
                "above 1. Name it otherwise if its values are between 0 and 1.",
            )
        return Share(values / 100, percent=True)
    if 1 < highest <= 100 and float(np.nanmin(values)) >= 0:
        raise InputError(
            "probability-above-one",
            f"The column {score.column} has values up to {highest:g}, but a probability is "
            f"between 0 and 1. If they are per cent, name the column {score.column}_percent or "
            "write a per cent sign behind each.",
        )
    return Share(values, percent=False)


def rest_of(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns 1 less each probability, without the last bit's noise: of 0.07 it is 0.93."""
    return np.round(1 - values, 15)


def renormalised(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], str | None]:
    """Divides rounded probabilities by their sums, where rounding explains that these are not 1.

    The sum of K probabilities with d digits may be off 1 by K times half of the last digit. Where
    all sums are within the tolerance of evaluation, and where rounding does not explain one,
    nothing is changed.

    Args:
        values: [n, K], K of 2 or more.

    Returns:
        The probabilities, and what was done as a sentence; None if nothing was.
    """
    sums = values.sum(axis=1)
    off = np.abs(sums - 1)
    if np.isnan(off).any() or (off <= TOLERANCE).all() or (values < 0).any():
        return values, None
    for digits in _DIGITS:
        scaled = values * 10**digits
        if (np.abs(scaled - np.round(scaled)) > _EXACT).any():
            continue
        if (off > 0.5 * 10.0**-digits * values.shape[1] + 1e-6).any():
            break
        return values / sums[:, np.newaxis], (
            f"The probabilities are rounded to {digits} digits: those of "
            f"{int((off > 1e-6).sum()):,} images do not sum to 1, by up to {off.max():.2g}. Each "
            "was divided by the sum of its image."
        )
    return values, None
