"""Conformal sets: the classes that an image may be of, at a chosen coverage."""

import math

import numpy as np

from pulmo import stats
from pulmo.predictions.operating_point import PredictionSets
from pulmo.predictions.predictions import Predictions


def fit_sets(seen: Predictions, coverage: float) -> PredictionSets:
    """Returns the rule of split conformal sets (LAC: Sadinle et al. 2019).

    A class is in a set if its probability is at least the r-th lowest that the true class of an
    independent validation image has, r = floor((n + 1) (1 - coverage)). Then the set of a new
    image that is exchangeable with these n holds its class with a probability of `coverage` or
    more. The limit lies halfway to the next lower such probability, so that the last bit decides
    nothing.

    Args:
        seen: the validation images.
        coverage: share of the images whose set is to hold their class, in (0, 1).
    """
    true = seen.probabilities[np.arange(len(seen.truth)), seen.truth]
    ordered = np.sort(true[seen.independent])
    # The rounding keeps (1 - 0.9) * 10 from missing one for want of a bit.
    rank = math.floor(round((len(ordered) + 1) * (1 - coverage), 9))
    least = 0.0
    if rank:
        last = ordered[rank - 1]
        least = float(last + ordered[ordered < last].max(initial=0.0)) / 2
    return PredictionSets(
        coverage=coverage,
        least=least,
        independent=len(ordered),
        covered=stats.proportion(true >= least, seen.groups),
        size=stats.mean((seen.probabilities >= least).sum(axis=1), seen.groups),
    )
