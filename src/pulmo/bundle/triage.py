"""Triage bands: what may be ruled out, what may be ruled in, and what is left undecided."""

from collections.abc import Sequence
from typing import Final, get_args

import numpy as np

from pulmo.bundle.card import Band, Bands, BandShares
from pulmo.bundle.thresholds import Aim, fit_threshold, rates
from pulmo.bundle.validated import Validated, share_estimate

BANDS: Final[tuple[Band, ...]] = get_args(Band)
"""In the order of the probability."""


def fit_bands(seen: Validated, sensitivity: float, specificity: float) -> Bands | None:
    """Returns the bands that reach a sensitivity and a specificity, guaranteed where they can be.

    Where one threshold reaches both, the band between is empty.

    Args:
        seen: the validation pictures.
        sensitivity: share of the positives that must not be ruled out, in (0, 1).
        specificity: share of the others that must not be ruled in, in (0, 1).

    Returns:
        None if all pictures are of one side.
    """
    if seen.positive.all() or not seen.positive.any():
        return None
    rule_out = fit_threshold(seen, Aim("sensitivity", sensitivity))
    rule_in = fit_threshold(seen, Aim("specificity", specificity))
    if rule_in.threshold < rule_out.threshold:
        # A higher threshold has no lower specificity, so what is vouched for stays true.
        found, spared = rates(seen, rule_out.threshold)
        rule_in = rule_in.model_copy(
            update={
                "threshold": rule_out.threshold,
                "sensitivity": found,
                "specificity": spared,
            }
        )
    bands = Bands(rule_out=rule_out, rule_in=rule_in, shares={})
    placed = [bands.of(score) for score in seen.scores.tolist()]
    return bands.model_copy(update={"shares": _shares(placed, seen)})


def _shares(placed: Sequence[Band], seen: Validated) -> dict[Band, BandShares]:
    names = np.array(placed)
    return {
        band: BandShares(
            pictures=share_estimate(names == band, seen.groups),
            positives=share_estimate(names[seen.positive] == band, seen.groups[seen.positive]),
            negatives=share_estimate(names[~seen.positive] == band, seen.groups[~seen.positive]),
        )
        for band in BANDS
    }
