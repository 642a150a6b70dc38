"""What a card's triage bands and conformal sets do on the pictures that are judged."""

import numpy as np
from numpy.typing import NDArray

from pulmo.core.estimate import Estimate
from pulmo.evaluate.decision_results import SetMetrics
from pulmo.evaluate.intervals import proportion_estimate
from pulmo.predictions.estimates import mean_estimate
from pulmo.predictions.operating_point import BANDS, Band, BandShares
from pulmo.predictions.predictions import Predictions


def band_shares(predictions: Predictions) -> dict[Band, BandShares]:
    """Returns triage band -> how much falls into it; nothing if there are no bands."""
    rule, groups = predictions.rule, predictions.groups
    placed = rule.decide(predictions.probabilities).bands
    if placed is None:
        return {}
    wanted, names = predictions.of_positive_class, rule.positive_names

    def share(place: int, of: NDArray[np.bool_], undefined: str) -> Estimate:
        return proportion_estimate(placed[of] == place, groups[of], undefined)

    return {
        band: BandShares(
            pictures=share(place, np.ones_like(wanted), "there is no picture"),
            positives=share(place, wanted, f"no picture is {names}"),
            negatives=share(place, ~wanted, f"every picture is {names}"),
        )
        for place, band in enumerate(BANDS)
    }


def set_metrics(predictions: Predictions) -> SetMetrics | None:
    """Returns how often the conformal sets hold the true class, and how large they are."""
    rule, truth, groups = predictions.rule, predictions.truth, predictions.groups
    held = rule.decide(predictions.probabilities).sets
    if rule.sets is None or held is None:
        return None
    covered = held[np.arange(len(truth)), truth]
    sizes = held.sum(axis=1)

    def share(own: NDArray[np.bool_], undefined: str) -> Estimate:
        return proportion_estimate(covered[own], groups[own], undefined)

    return SetMetrics(
        coverage=rule.sets.coverage,
        covered=share(np.ones_like(covered), "there is no picture"),
        classes={
            label: share(truth == place, f"no picture is {label}")
            for place, label in enumerate(rule.classes)
        },
        size=mean_estimate(sizes.astype(np.float64), groups),
        sizes=tuple(np.bincount(sizes, minlength=len(rule.classes) + 1).tolist()),
    )
