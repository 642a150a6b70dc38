"""Accuracies of decisions on an audited model's images, and what chance would reach."""

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.context import AuditContext
from pulmo.stats.estimate import Estimate
from pulmo.stats.paired import PairedDifference


def accuracy(
    context: AuditContext, numbers: NDArray[np.intp], decided: NDArray[np.intp]
) -> Estimate:
    """Returns the accuracy of decisions.

    Args:
        context: whose images they are of.
        numbers: the rows, [m], one or more.
        decided: index of the class that was decided on, [m].
    """
    return stats.proportion(decided == context.truth[numbers], context.groups[numbers])


def balanced_accuracy(
    context: AuditContext, numbers: NDArray[np.intp], decided: NDArray[np.intp]
) -> Estimate:
    """Returns the mean over the classes that are there of the share decided rightly, likewise."""
    truth = context.truth[numbers]
    return stats.balanced_accuracy(decided == truth, truth, context.groups[numbers])


def balanced_difference(
    context: AuditContext,
    numbers: NDArray[np.intp],
    first: NDArray[np.intp],
    second: NDArray[np.intp],
) -> PairedDifference:
    """Returns the balanced accuracy of the first decisions minus that of the second, likewise."""
    truth = context.truth[numbers]
    right = np.stack([first == truth, second == truth])
    return stats.balanced_accuracy_difference(right, truth, context.groups[numbers])


def chance(context: AuditContext, numbers: NDArray[np.intp]) -> float:
    """Returns the balanced accuracy of deciding at random, on rows [m]."""
    return 1 / len(np.unique(context.truth[numbers]))


def skill(balanced: Estimate, guessing: float) -> Estimate:
    """Returns a balanced accuracy as the share of the way from guessing to no mistake.

    It is 0 at chance, 1 without a mistake, below 0 where guessing is better; Cohen's kappa is of
    this form.

    Args:
        balanced: a balanced accuracy.
        guessing: that of chance, below 1.
    """
    return balanced.rescaled(zero=guessing, one=1.0)
