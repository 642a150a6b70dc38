"""Thresholds for a chosen sensitivity or specificity, with a guarantee where there can be one."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from pulmo import stats
from pulmo.bundle.card import Decision
from pulmo.core.errors import InputError
from pulmo.core.sections import DecisionSection
from pulmo.decide.aim import Aim
from pulmo.predictions.operating_point import OperatingPoint
from pulmo.predictions.predictions import Predictions
from pulmo.stats.estimate import Estimate

CONFIDENCE: Final = 0.95
"""Of a guarantee."""

NOT_ASKED: Final = "the recipe does not ask for a guarantee (decision.guaranteed)"


def fit_decision(seen: Predictions, section: DecisionSection) -> Decision:
    """Returns the decision of a recipe with what it does on the validation images."""
    aim = Aim("sensitivity", section.sensitivity)
    point = fit_threshold(seen, aim, guaranteed=section.guaranteed)
    return Decision(positive=section.positive, **dict(point))


def fit_threshold(seen: Predictions, aim: Aim, *, guaranteed: bool = True) -> OperatingPoint:
    """Returns the threshold that reaches an aim, and gives away no more than it must.

    With a guarantee, the threshold leaves so few validation images on the wrong side that a
    worse one than aimed at would have shown as few in at most 1 - `CONFIDENCE` of all draws. That
    is the Learn then Test procedure (Angelopoulos et al. 2021) with binomial p-values and fixed
    sequence testing from the safe end, over all thresholds at once; since the wrong ones can only
    become more along the sequence, it ends at an order statistic, as the distribution-free
    tolerance limit of Wilks 1941 does. It assumes independent images, so one of each group
    counts, and it takes the probabilities as given.

    Without a guarantee, the aim is reached on the validation images, all of them, and no more.

    Args:
        seen: the validation images.
        aim: what is to be reached.
        guaranteed: whether a guarantee is wanted. Where there can be none, the other rule is
            taken, and the point says why.

    Raises:
        InputError: the aim is a share of images of which there is none.
    """
    side = seen.of_positive_class if aim.metric == "sensitivity" else ~seen.of_positive_class
    if not side.any():
        raise InputError(
            "validation-one-sided",
            f"The validation images cannot show the {aim.metric}: they are all positive or all "
            "negative.",
        )
    own = side & seen.independent
    n = int(own.sum())
    if not guaranteed:
        return _point(seen, aim, _observed(seen, side, aim), n, NOT_ASKED)
    allowed = allowed_errors(n, aim.value)
    if allowed < 0:
        needed = math.ceil(math.log(1 - CONFIDENCE) / math.log(aim.value))
        reason = (
            f"{n} independent validation images are too few to guarantee a {aim.metric} of "
            f"{aim.value:g} with {CONFIDENCE:.0%} confidence; {needed} or more could"
        )
        return _point(seen, aim, _observed(seen, side, aim), n, reason)
    threshold = _cut(seen.positive_probability, own, allowed, aim)
    wrong = (seen.positive_probability[own] >= threshold) != (aim.metric == "sensitivity")
    if int(wrong.sum()) > allowed:
        reason = "too many validation images have a probability of 1"
        return _point(seen, aim, _observed(seen, side, aim), n, reason)
    return _point(seen, aim, threshold, n, None)


def allowed_errors(n: int, aim: float) -> int:
    """Returns how many of n independent images may be wrong for a guarantee of an aim.

    It is the largest k with P(X <= k) <= 1 - `CONFIDENCE` for X ~ Binomial(n, 1 - aim); -1 if not
    even none is few enough.
    """
    return int(binom.ppf(1 - CONFIDENCE, n, 1 - aim)) - 1


def _observed(seen: Predictions, side: NDArray[np.bool_], aim: Aim) -> float:
    """Returns the threshold that reaches the aim on the images of a side, and no more."""
    # The rounding keeps (1 - 0.95) * 20 from missing one for want of a bit.
    return _cut(
        seen.positive_probability,
        side,
        math.floor(round((1 - aim.value) * int(side.sum()), 9)),
        aim,
    )


def _cut(scores: NDArray[np.float64], side: NDArray[np.bool_], wrong: int, aim: Aim) -> float:
    """Returns the threshold that leaves at most `wrong` images of a side on the wrong side.

    It lies halfway between the last score that must be right and the next one beyond it, so that
    the last bit of a score, which differs from machine to machine, decides nothing.
    """
    if aim.metric == "sensitivity":
        last = np.sort(scores[side])[wrong]
        return float(last + scores[scores < last].max(initial=0.0)) / 2
    last = np.sort(scores[side])[-1 - wrong]
    return float(last + scores[scores > last].min(initial=1.0)) / 2


def rates(seen: Predictions, threshold: float) -> tuple[Estimate, Estimate]:
    """Returns the sensitivity and the specificity of the validation images at a threshold."""
    called = seen.positive_probability >= threshold
    return (
        stats.proportion(called[seen.of_positive_class], seen.groups[seen.of_positive_class]),
        stats.proportion(~called[~seen.of_positive_class], seen.groups[~seen.of_positive_class]),
    )


def _point(
    seen: Predictions, aim: Aim, threshold: float, n: int, reason: str | None
) -> OperatingPoint:
    """Returns a threshold with what it does on the validation images."""
    sensitivity, specificity = rates(seen, threshold)
    return OperatingPoint(
        threshold=threshold,
        metric=aim.metric,
        aim=aim.value,
        confidence=CONFIDENCE if reason is None else None,
        reason=reason,
        independent=n,
        sensitivity=sensitivity,
        specificity=specificity,
    )
