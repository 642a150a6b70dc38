"""Free-response: how many of several lesions an image are marked, at how many false marks."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.stats.clusters import Groups, number_groups
from pulmo.stats.estimate import Estimate
from pulmo.stats.resampling import bootstrap, interval_estimate
from pulmo.stats.weights import Floats, Weights

RATES: Final = (0.25, 0.5, 1.0, 2.0)
"""False marks an image at which the sensitivity is given."""

_REPLICATES: Final = 2000


class Marks(NamedTuple):
    """What was marked in n images that may have several lesions each.

    Attributes:
        images: number of the images, n.
        lesion_images: the image of each lesion, [lesions], from 0 to n - 1.
        lesion_scores: the highest score of the marks that hit it, [lesions]; -inf if none does.
        false_images: the image of each mark that hits no lesion, [marks].
        false_scores: its score, [marks].
    """

    images: int
    lesion_images: NDArray[np.intp]
    lesion_scores: NDArray[np.float64]
    false_images: NDArray[np.intp]
    false_scores: NDArray[np.float64]


def froc(
    marks: Marks,
    groups: Groups = None,
    *,
    rates: Sequence[float] = RATES,
    generator: np.random.Generator | None = None,
) -> dict[float, Estimate]:
    """Returns the share of lesions that are marked, at given numbers of false marks an image.

    A mark counts if its score is at least a threshold; for each rate it is the lowest threshold
    that keeps the false marks at or below it (Bunch et al. 1978; Chakraborty 1989). The 95 %
    intervals are percentiles of a bootstrap over groups of images, which sets the thresholds anew
    in each resample.

    Args:
        marks: the lesions and the marks.
        groups: the group of each image, [n], any hashable labels; None: all are independent.
        rates: false marks an image, above 0.
        generator: draws the groups; seeded with 0 if None.

    Returns:
        Rate -> sensitivity, with the lesions as its n.
    """
    clusters = number_groups(groups, marks.images)
    lesions = len(marks.lesion_scores)
    if not lesions:
        return dict.fromkeys(rates, Estimate.undefined("no image has a lesion"))

    def statistics(weights: Weights) -> dict[str, Floats]:
        return {"sensitivity": _sensitivities(marks, weights.astype(np.float64), rates)}

    values = statistics(np.ones((1, marks.images)))["sensitivity"][0]
    random = generator or np.random.default_rng(0)
    drawn = bootstrap(statistics, clusters, _REPLICATES, random)["sensitivity"]
    return {
        rate: interval_estimate(float(value), draws, lesions, "no image has a lesion")
        for rate, value, draws in zip(rates, values, drawn.T, strict=True)
    }


def _sensitivities(marks: Marks, weights: Floats, rates: Sequence[float]) -> Floats:
    """Returns the sensitivity at each rate under weights [b, n], [b, rates]; NaN without lesion."""
    found = np.full((len(weights), len(rates)), np.nan)
    order = np.argsort(-marks.false_scores, kind="stable")
    scores = marks.false_scores[order]
    last_of_score = np.append(scores[1:] != scores[:-1], True)[: len(scores)]
    for row, weight in zip(found, weights, strict=True):
        held = weight[marks.lesion_images]
        if not held.sum():
            continue
        counts = np.cumsum(weight[marks.false_images[order]])[last_of_score]
        for place, rate in enumerate(rates):
            # The scores whose marks, with those of all higher ones, exceed the rate are cut off.
            beyond = counts > rate * weight.sum()
            least = scores[last_of_score][beyond].max(initial=-np.inf)
            hit = marks.lesion_scores > least
            row[place] = (held * hit).sum() / held.sum()
    return found
