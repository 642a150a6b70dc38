"""Screening: positive or not, at the threshold of each part's card."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.subject import Subject
from pulmo.core.estimate import Estimate
from pulmo.evaluate.intervals import proportion_estimate


def is_positive(subject: Subject) -> NDArray[np.bool_]:
    """Tells whether each judged picture is of a positive class of the card, [n]."""
    positive = [subject.labels.order.index(label) for label in subject.card.decision.positive]
    return np.isin(subject.truth, positive)


def called_positive(subject: Subject) -> NDArray[np.bool_]:
    """Tells whether each judged picture reaches the threshold of its part's card, [n]."""
    thresholds = [part.predictor.card.decision.threshold for part in subject.parts]
    scores = subject.positive_score(subject.probabilities)
    return np.asarray(scores >= np.array(thresholds)[subject.part])


def sensitivity(subject: Subject, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the positives among rows [m] that reach the threshold."""
    found = numbers[is_positive(subject)[numbers]]
    hits = called_positive(subject)[found]
    return proportion_estimate(hits, subject.groups[found], "there is no positive picture")


def specificity(subject: Subject, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the negatives among rows [m] that do not."""
    found = numbers[~is_positive(subject)[numbers]]
    hits = ~called_positive(subject)[found]
    return proportion_estimate(hits, subject.groups[found], "there is no negative picture")
