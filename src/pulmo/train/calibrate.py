"""Temperature and threshold, fitted on the validation pictures."""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from pulmo.bundle.card import Decision
from pulmo.bundle.predictor import positive_probability, probabilities
from pulmo.core.estimate import Estimate, wilson
from pulmo.core.recipe import Recipe


def fit_temperature(logits: NDArray[np.float32], truth: NDArray[np.int64]) -> float:
    """Returns the temperature in [0.05, 20] with the lowest log loss (Guo et al. 2017).

    Args:
        logits: float [n, classes].
        truth: int [n], the class of each picture.
    """

    def loss(log_temperature: float) -> float:
        scaled = log_softmax(logits.astype(np.float64) / math.exp(log_temperature), axis=1)
        return -float(scaled[np.arange(len(truth)), truth].mean())

    bounds = (math.log(0.05), math.log(20))
    return float(math.exp(minimize_scalar(loss, bounds=bounds, method="bounded").x))


def choose_threshold(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], sensitivity: float
) -> float:
    """Returns a threshold that at least this share of the positives reaches, and no more than need.

    It lies halfway between the last score that must count and the next lower one, so that the last
    bit of a score, which differs from machine to machine, decides nothing.

    Args:
        scores: float [n], the probability of being positive.
        positive: bool [n], at least one True.
        sensitivity: the share, in (0, 1).
    """
    ordered = np.sort(scores[positive])
    # The rounding keeps (1 - 0.95) * 20 from missing one for want of a bit.
    missed = math.floor(round((1 - sensitivity) * len(ordered), 9))
    last = ordered[missed]
    return float(last + scores[scores < last].max(initial=0.0)) / 2


def decide(
    recipe: Recipe, logits: NDArray[np.float32], truth: NDArray[np.int64], temperature: float
) -> Decision:
    """Returns the decision rule of the recipe with what it does on the validation pictures."""
    labels, wanted = recipe.labels.order, recipe.decision.positive
    scores = positive_probability(probabilities(logits, temperature), labels, wanted)
    positive = np.isin(truth, [labels.index(label) for label in wanted])
    threshold = choose_threshold(scores, positive, recipe.decision.sensitivity)
    called = scores >= threshold
    return Decision(
        positive=wanted,
        threshold=threshold,
        aim=recipe.decision.sensitivity,
        sensitivity=_proportion(called[positive]),
        specificity=_proportion(~called[~positive]),
    )


def _proportion(hits: NDArray[np.bool_]) -> Estimate:
    if not len(hits):
        return Estimate.undefined("there is no such picture")
    share = float(hits.mean())
    return Estimate(share, *wilson(share, len(hits)), len(hits))
