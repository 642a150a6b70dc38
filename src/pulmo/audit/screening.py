"""Screening: positive or not, at the threshold of each part's card, or as predictions say."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.finding import Unanswered
from pulmo.audit.subject import Subject
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.evaluate.table import positive_probability
from pulmo.stats.estimate import Estimate


def is_positive(subject: Subject) -> NDArray[np.bool_]:
    """Tells whether each judged picture is of a positive class, [n]."""
    positive = [subject.terms.order.index(label) for label in subject.terms.positive]
    return np.isin(subject.truth, positive)


def positive_score(subject: Subject, table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns [m], the summed probability of the positive classes; 0 where there are none.

    Args:
        subject: whose classes they are.
        table: probabilities, [m, classes].
    """
    return positive_probability(table, subject.terms)


def called_positive(subject: Subject) -> NDArray[np.bool_]:
    """Tells whether each judged picture is called positive, [n]."""
    if subject.is_told:
        return subject.rows["positive"].to_numpy(np.bool_)
    thresholds = [part.model.terms.threshold for part in subject.parts]
    scores = positive_score(subject, subject.probabilities)
    return np.asarray(scores >= np.array(thresholds, float)[subject.part])


def require_positive(subject: Subject) -> None:
    """Checks that it is known which classes are positive.

    Raises:
        Unanswered: it is not.
    """
    if not subject.terms.positive:
        raise Unanswered(f"{NOT_NAMED[0].upper()}{NOT_NAMED[1:]}.")


def sensitivity(subject: Subject, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the positives among rows [m] that reach the threshold."""
    found = numbers[is_positive(subject)[numbers]]
    hits = called_positive(subject)[found]
    return stats.proportion(hits, subject.groups[found], undefined="there is no positive image")


def specificity(subject: Subject, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the negatives among rows [m] that do not."""
    found = numbers[~is_positive(subject)[numbers]]
    hits = ~called_positive(subject)[found]
    return stats.proportion(hits, subject.groups[found], undefined="there is no negative image")
