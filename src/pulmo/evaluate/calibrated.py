"""What a card's triage bands and conformal sets do on the evaluated images."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.evaluate.decision_results import SetMetrics
from pulmo.predictions.operating_point import BANDS, Band, BandShares
from pulmo.predictions.predictions import Predictions
from pulmo.stats.estimate import Estimate


def band_shares(predictions: Predictions) -> dict[Band, BandShares]:
    """Returns triage band -> how much falls into it; nothing if there are no bands."""
    rule, groups = predictions.rule, predictions.groups
    placed = rule.decide(predictions.probabilities).bands
    if placed is None:
        return {}
    wanted, names = predictions.of_positive_class, rule.positive_names

    def share(place: int, of: NDArray[np.bool_], undefined: str) -> Estimate:
        return stats.proportion(placed[of] == place, groups[of], undefined=undefined)

    return {
        band: BandShares(
            images=share(place, np.ones_like(wanted), "there is no image"),
            positives=share(place, wanted, f"no image is {names}"),
            negatives=share(place, ~wanted, f"every image is {names}"),
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
        return stats.proportion(covered[own], groups[own], undefined=undefined)

    return SetMetrics(
        coverage=rule.sets.coverage,
        covered=share(np.ones_like(covered), "there is no image"),
        classes={
            label: share(truth == place, f"no image is {label}")
            for place, label in enumerate(rule.classes)
        },
        size=stats.mean(sizes, groups),
        sizes=tuple(np.bincount(sizes, minlength=len(rule.classes) + 1).tolist()),
    )
