"""Accuracy and balanced accuracy of decisions, with intervals that know of groups."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.core.estimate import Estimate
from pulmo.datasets.inspect.tree import mean_share
from pulmo.evaluate.paired import Difference, compare_balanced_accuracy


def accuracy(
    context: AuditContext, numbers: NDArray[np.intp], decided: NDArray[np.intp]
) -> Estimate:
    """Returns the accuracy of decisions.

    Args:
        context: whose pictures they are of.
        numbers: the rows, [m], one or more.
        decided: index of the class that was decided on, [m].
    """
    hits = decided == context.truth[numbers]
    return mean_share(hits, np.zeros(len(hits), np.intp), context.groups_of(numbers))


def balanced_accuracy(
    context: AuditContext, numbers: NDArray[np.intp], decided: NDArray[np.intp]
) -> Estimate:
    """Returns the mean over the classes that are there of the share decided rightly, likewise."""
    truth = context.truth[numbers]
    _, strata = np.unique(truth, return_inverse=True)
    return mean_share(decided == truth, strata, context.groups_of(numbers))


def balanced_difference(
    context: AuditContext,
    numbers: NDArray[np.intp],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> Difference:
    """Returns the balanced accuracy of the first decisions minus that of the second, likewise."""
    truth = context.truth[numbers]
    right = np.stack([first == truth, second == truth])
    return compare_balanced_accuracy(right, truth, context.groups[numbers])
