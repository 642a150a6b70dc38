"""Pairs: each two classes told apart by their shares of the probability, over all sources."""

from itertools import combinations

import numpy as np

from pulmo import stats
from pulmo.evaluate.contrasts import Sides, positive_share
from pulmo.evaluate.evaluation import Pair
from pulmo.stats.classified import ClassifiedImages


def pairs(sample: ClassifiedImages) -> tuple[Pair, ...]:
    """Returns the AUC of each two classes that have pictures.

    The score is P(first) / (P(first) + P(second)) over the pictures of the two; the overall
    `pairwise_auc` is of their two probabilities alone.
    """
    found = []
    for first, second in combinations(range(len(sample.labels)), 2):
        names = sample.labels[first], sample.labels[second]
        inside = sample.take(np.isin(sample.truth, (first, second)))
        positive = inside.truth == first
        if positive.any() and not positive.all():
            shares = positive_share(inside, Sides(names[:1], names[1:]))
            found.append(
                Pair(
                    first=names[0],
                    second=names[1],
                    auc=stats.auc(positive, shares, inside.groups),
                )
            )
    return tuple(found)
