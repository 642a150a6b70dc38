"""Chance: how far a balanced accuracy is from that of guessing."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.context import AuditContext
from pulmo.core.estimate import Estimate


def chance(context: AuditContext, numbers: NDArray[np.intp]) -> float:
    """Returns the balanced accuracy of who decides without looking, on rows [m]."""
    return 1 / len(np.unique(context.truth[numbers]))


def skill(accuracy: Estimate, guessing: float) -> Estimate:
    """Returns a balanced accuracy as the share of the way from guessing to no mistake.

    It is 0 at chance, 1 without a mistake, below 0 where guessing is better; Cohen's kappa is of
    this form.

    Args:
        accuracy: a balanced accuracy.
        guessing: that of chance, below 1.
    """

    def scaled(end: float | None) -> float | None:
        return None if end is None else (end - guessing) / (1 - guessing)

    value, low, high = (scaled(end) for end in accuracy[:3])
    return Estimate(value, low, high, accuracy.n, accuracy.reason)
