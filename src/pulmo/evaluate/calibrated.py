"""What a card's triage bands and conformal sets do on the pictures that are judged."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.bundle.card import Band, BandShares
from pulmo.bundle.triage import BANDS
from pulmo.evaluate.decision import sides
from pulmo.evaluate.intake import Judged
from pulmo.evaluate.set_figures import SetFigures
from pulmo.evaluate.terms import Terms
from pulmo.stats.estimate import Estimate


def band_shares(judged: Judged, terms: Terms) -> dict[Band, BandShares]:
    """Returns triage band -> how much falls into it; nothing if there are no bands."""
    if terms.bands is None:
        return {}
    wanted, scores = sides(judged, terms)
    placed = np.array([terms.bands.of(score) for score in scores.tolist()])
    groups = judged.sample.groups

    def share(band: Band, of: NDArray[np.bool_], undefined: str) -> Estimate:
        return stats.proportion(placed[of] == band, groups[of], undefined=undefined)

    names = " or ".join(terms.positive)
    return {
        band: BandShares(
            pictures=share(band, np.ones_like(wanted), "there is no picture"),
            positives=share(band, wanted, f"no picture is {names}"),
            negatives=share(band, ~wanted, f"every picture is {names}"),
        )
        for band in BANDS
    }


def set_figures(judged: Judged, terms: Terms) -> SetFigures | None:
    """Returns how often the conformal sets hold the true class, and how large they are."""
    if terms.sets is None:
        return None
    sample = judged.sample
    held = sample.probabilities >= terms.sets.least
    covered = held[np.arange(len(sample)), sample.truth]
    sizes = held.sum(axis=1)
    return SetFigures(
        coverage=terms.sets.coverage,
        covered=stats.proportion(covered, sample.groups),
        classes={
            label: stats.proportion(
                covered[own], sample.groups[own], undefined=f"no image is {label}"
            )
            for label, own in zip(sample.labels, sample.is_class.T, strict=True)
        },
        size=stats.mean(sizes, sample.groups),
        sizes=tuple(np.bincount(sizes, minlength=len(sample.labels) + 1).tolist()),
    )
