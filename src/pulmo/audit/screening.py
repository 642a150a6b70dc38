"""Screening: positive or not, at the threshold of each part's card, or as predictions say."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.check_result import CannotRun
from pulmo.audit.context import AuditContext
from pulmo.evaluate.decision import NOT_NAMED
from pulmo.stats.estimate import Estimate


def is_positive(context: AuditContext) -> NDArray[np.bool_]:
    """Tells whether each test image is of a positive class, [n]."""
    return context.rule.is_positive_class(context.truth)


def require_positive(context: AuditContext) -> None:
    """Checks that it is known which classes are positive.

    Raises:
        CannotRun: it is not.
    """
    if not context.rule.positive:
        raise CannotRun("no-positive-class", f"{NOT_NAMED[0].upper()}{NOT_NAMED[1:]}.")


def sensitivity(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the positives among rows [m] that reach the threshold."""
    found = numbers[is_positive(context)[numbers]]
    hits = context.decisions.positive[found]
    return stats.proportion(hits, context.groups[found], undefined="there is no positive image")


def specificity(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the share of the negatives among rows [m] that do not."""
    found = numbers[~is_positive(context)[numbers]]
    hits = ~context.decisions.positive[found]
    return stats.proportion(hits, context.groups[found], undefined="there is no negative image")
