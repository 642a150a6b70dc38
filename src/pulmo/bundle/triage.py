"""Triage bands: what may be ruled out, what may be ruled in, and what is left undecided."""

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np

from pulmo import stats
from pulmo.bundle.card import Band, Bands, BandShares, OperatingPoint
from pulmo.bundle.thresholds import Aim, fit_threshold, rates
from pulmo.bundle.validated import Validated

BANDS: Final[tuple[Band, ...]] = get_args(Band)
"""In the order of the probability."""


def fit_bands(
    seen: Validated, sensitivity: float, specificity: float, threshold: float
) -> Bands | None:
    """Returns the bands that reach a sensitivity and a specificity, guaranteed where they can be.

    The threshold from which a result is positive lies between theirs or is one of them, so that no
    result is positive and ruled out, or negative and ruled in.

    Args:
        seen: the validation pictures.
        sensitivity: share of the positives that must not be ruled out, in (0, 1).
        specificity: share of the others that must not be ruled in, in (0, 1).
        threshold: probability of the positive classes from which a result is positive.

    Returns:
        None if all pictures are of one side.
    """
    if seen.positive.all() or not seen.positive.any():
        return None
    rule_out = fit_threshold(seen, Aim("sensitivity", sensitivity))
    rule_in = fit_threshold(seen, Aim("specificity", specificity))
    # A lower threshold has no lower sensitivity and a higher one no lower specificity, so what is
    # vouched for stays true.
    rule_out = _moved(rule_out, seen, min(rule_out.threshold, threshold))
    rule_in = _moved(rule_in, seen, max(rule_in.threshold, threshold))
    bands = Bands(rule_out=rule_out, rule_in=rule_in, shares={})
    placed = [bands.of(score) for score in seen.scores.tolist()]
    return bands.model_copy(update={"shares": _shares(placed, seen)})


def _moved(point: OperatingPoint, seen: Validated, threshold: float) -> OperatingPoint:
    """Returns a point of operation at another threshold."""
    if threshold == point.threshold:
        return point
    found, spared = rates(seen, threshold)
    update = {"threshold": threshold, "sensitivity": found, "specificity": spared}
    return point.model_copy(update=update)


def _shares(placed: Sequence[Band], seen: Validated) -> dict[Band, BandShares]:
    names = np.array(placed)
    return {
        band: BandShares(
            pictures=stats.proportion(names == band, seen.groups),
            positives=stats.proportion(names[seen.positive] == band, seen.groups[seen.positive]),
            negatives=stats.proportion(names[~seen.positive] == band, seen.groups[~seen.positive]),
        )
        for band in BANDS
    }
