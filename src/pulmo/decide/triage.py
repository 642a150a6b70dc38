"""Triage bands: what may be ruled out, what may be ruled in, and what is left undecided."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.decide.aim import Aim
from pulmo.decide.thresholds import fit_threshold, rates
from pulmo.predictions.operating_point import BANDS, Band, Bands, BandShares, OperatingPoint
from pulmo.predictions.predictions import Predictions


def fit_bands(
    seen: Predictions, sensitivity: float, specificity: float, threshold: float
) -> Bands | None:
    """Returns the bands that reach a sensitivity and a specificity, guaranteed where they can be.

    The threshold from which a result is positive lies between theirs or is one of them, so that no
    result is positive and ruled out, or negative and ruled in.

    Args:
        seen: the validation images.
        sensitivity: share of the positives that must not be ruled out, in (0, 1).
        specificity: share of the others that must not be ruled in, in (0, 1).
        threshold: probability of the positive classes from which a result is positive.

    Returns:
        None if all images are of one side.
    """
    if seen.of_positive_class.all() or not seen.of_positive_class.any():
        return None
    rule_out = fit_threshold(seen, Aim("sensitivity", sensitivity))
    rule_in = fit_threshold(seen, Aim("specificity", specificity))
    # A lower threshold has no lower sensitivity and a higher one no lower specificity, so what is
    # vouched for stays true.
    rule_out = _moved(rule_out, seen, min(rule_out.threshold, threshold))
    rule_in = _moved(rule_in, seen, max(rule_in.threshold, threshold))
    bands = Bands(rule_out=rule_out, rule_in=rule_in, shares={})
    placed = bands.place(seen.positive_probability)
    return bands.model_copy(update={"shares": _shares(placed, seen)})


def _moved(point: OperatingPoint, seen: Predictions, threshold: float) -> OperatingPoint:
    """Returns a point of operation at another threshold."""
    if threshold == point.threshold:
        return point
    found, spared = rates(seen, threshold)
    update = {"threshold": threshold, "sensitivity": found, "specificity": spared}
    return point.model_copy(update=update)


def _shares(placed: NDArray[np.intp], seen: Predictions) -> dict[Band, BandShares]:
    ill, groups = seen.of_positive_class, seen.groups
    return {
        band: BandShares(
            images=stats.proportion(placed == i, groups),
            positives=stats.proportion(placed[ill] == i, groups[ill]),
            negatives=stats.proportion(placed[~ill] == i, groups[~ill]),
        )
        for i, band in enumerate(BANDS)
    }
