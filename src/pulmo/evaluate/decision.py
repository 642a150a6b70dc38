"""The decision: how well `positive` marks the images of the positive classes."""

from typing import Final

import numpy as np

from pulmo import stats
from pulmo.evaluate.decision_results import DecisionMetrics, Histogram, Threshold
from pulmo.predictions.predictions import Predictions
from pulmo.stats.classified import NO_SCORES
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import Proportion, predictive_value, ratio

STEPS: Final = 100
"""Equal steps of the threshold sweep from 0 to 1."""

BARS: Final = 20
"""Bars of a histogram of scores."""

NOT_NAMED: Final = "no class is named as positive"


def decision_metrics(predictions: Predictions, prevalence: float | None) -> DecisionMetrics:
    """Returns the metrics of the decision between positive and negative.

    Args:
        predictions: the labelled images.
        prevalence: share of positive images where the model would be used, for its predictive
            values there; None for those of these images alone.
    """
    rule = predictions.rule
    if not rule.positive:
        nothing = Estimate.undefined(NOT_NAMED)
        return DecisionMetrics(
            positive=(), threshold=None, sensitivity=nothing, specificity=nothing
        )
    wanted, called = predictions.of_positive_class, predictions.positive
    groups, names = predictions.groups, rule.positive_names
    sensitivity = Proportion.from_hits(called[wanted], groups[wanted])
    specificity = Proportion.from_hits(~called[~wanted], groups[~wanted])
    misses, alarms = sensitivity.complement, specificity.complement
    both = f"it needs images of {names}, and others of which some are predicted as"
    return DecisionMetrics(
        positive=rule.positive,
        threshold=rule.threshold,
        sensitivity=sensitivity.estimate(f"no image is {names}"),
        specificity=specificity.estimate(f"every image is {names}"),
        auc=(
            stats.auc(
                wanted,
                predictions.positive_probability,
                groups,
                undefined=f"it needs images of {names} and others",
            )
            if rule.scored
            else Estimate.undefined(NO_SCORES, len(wanted))
        ),
        ppv=Proportion.from_hits(wanted[called], groups[called]).estimate(
            "no image is predicted as positive"
        ),
        npv=Proportion.from_hits(~wanted[~called], groups[~called]).estimate(
            "no image is predicted as negative"
        ),
        positive_likelihood_ratio=ratio(sensitivity, alarms, undefined=f"{both} positive"),
        negative_likelihood_ratio=ratio(misses, specificity, undefined=f"{both} negative"),
        prevalence=prevalence,
        ppv_at_prevalence=(
            None if prevalence is None else predictive_value(sensitivity, alarms, prevalence)
        ),
        npv_at_prevalence=(
            None if prevalence is None else predictive_value(specificity, misses, 1 - prevalence)
        ),
    )


def sweep(predictions: Predictions) -> tuple[Threshold, ...]:
    """Returns what each threshold would do, from 0 to 1; nothing without scores or both sides.

    The net benefit is (true positives - false positives * t / (1 - t)) / n (Vickers and Elkin
    2006), at the threshold t itself: it holds for calibrated probabilities, and for who would call
    t / (1 - t) healthy people back to find one ill.
    """
    wanted, scores = predictions.of_positive_class, predictions.positive_probability
    if not predictions.rule.scored or wanted.all() or not wanted.any():
        return ()
    n, positives = len(wanted), int(wanted.sum())
    found, alarms = np.sort(scores[wanted]), np.sort(scores[~wanted])
    points = []
    for step in range(STEPS + 1):
        at = step / STEPS
        hits = positives - int(np.searchsorted(found, at, "left"))
        false = n - positives - int(np.searchsorted(alarms, at, "left"))
        odds = at / (1 - at) if at < 1 else None
        points.append(
            Threshold(
                threshold=at,
                sensitivity=hits / positives,
                specificity=1 - false / (n - positives),
                ppv=hits / (hits + false) if hits + false else None,
                npv=(n - positives - false) / (n - hits - false) if n > hits + false else None,
                net_benefit=None if odds is None else (hits - false * odds) / n,
                treat_all=None if odds is None else (positives - (n - positives) * odds) / n,
            )
        )
    return tuple(points)


def histograms(predictions: Predictions) -> dict[str, Histogram]:
    """Returns class -> how often each range of the positive probability occurs among its images.

    Without positive classes it is the probability of the class itself; without scores it is empty.
    """
    rule, edges = predictions.rule, np.linspace(0, 1, BARS + 1)
    if not rule.scored:
        return {}
    found = {}
    for position, label in enumerate(rule.classes):
        own = predictions.probabilities[:, position]
        scores = predictions.positive_probability if rule.positive else own
        counts, _ = np.histogram(np.clip(scores[predictions.truth == position], 0, 1), edges)
        found[label] = Histogram(counts=tuple(counts.tolist()))
    return found
