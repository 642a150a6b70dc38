"""Drops: how much balanced accuracy a change of the images costs, and whether it is too much."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import balanced_accuracy, balanced_difference, chance
from pulmo.audit.check import CannotRun
from pulmo.audit.check_result import ORDER, Verdict
from pulmo.audit.context import AuditContext, Pixels
from pulmo.stats.estimate import Estimate
from pulmo.stats.proportions import wilson

MARGIN: Final = 0.05
"""Greatest drop of the balanced accuracy by a change that must be harmless."""


def decided_on(
    context: AuditContext, images: Pixels, numbers: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Returns the index of the class that is decided on for changed images, [m].

    Args:
        context: whose models decide.
        images: uint8 [m, size, size].
        numbers: the rows that they are made of, [m].
    """
    return np.asarray(context.predict(lambda _: images, numbers).argmax(axis=1), np.intp)


def drop(context: AuditContext, numbers: NDArray[np.intp], changed: NDArray[np.intp]) -> Estimate:
    """Returns the balanced accuracy of images as they are minus that of the same ones changed.

    Where the change makes no decision right or wrong nothing varies between the images; then the
    interval is that of a share of none, to both sides.

    Args:
        context: whose images they are.
        numbers: the rows, [m], one or more.
        changed: index of the class that is decided on after the change, [m].
    """
    before = context.sample.decided[numbers]
    found = balanced_difference(context, numbers, before, changed).estimate
    if found.value is None or found.low is None or found.low != found.high:
        return found
    reach = _least(context, numbers)
    low, high = max(found.value - reach, -1.0), min(found.value + reach, 1.0)
    return found._replace(low=low, high=high)


def drop_verdict(found: Estimate, margin: float = MARGIN) -> Verdict:
    """Tells what a drop means.

    Returns:
        `fails` where its whole interval is above the margin, `passes` where none of it is, else
        `warns`.
    """
    if found.low is None or found.high is None:
        return "could_not_run"
    if found.low > margin:
        return "fails"
    return "passes" if found.high <= margin else "warns"


def require_enough(
    context: AuditContext, numbers: NDArray[np.intp], margin: float = MARGIN
) -> None:
    """Refuses images that are too few to show that a drop is within a margin.

    Raises:
        CannotRun: they are.
    """
    reach = _least(context, numbers)
    if reach > margin:
        raise CannotRun(
            "few-images",
            f"{len(numbers)} images are too few: even without a changed decision, the 95 % CI of "
            f"the drop of the balanced accuracy reaches {reach:.3f}, above the margin of {margin}.",
        )


def require_skill(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the balanced accuracy of images as they are.

    Raises:
        CannotRun: its interval reaches chance, so a drop cannot be measured.
    """
    own = balanced_accuracy(context, numbers, context.sample.decided[numbers])
    if own.low is None or own.low <= chance(context, numbers):
        raise CannotRun(
            "no-skill",
            f"The balanced accuracy on {len(numbers)} images is {own.in_text}, not clearly above "
            "chance. A drop cannot be measured.",
        )
    return own


def worst(*verdicts: Verdict) -> Verdict:
    """Returns the most important verdict."""
    return min(verdicts, key=ORDER.index)


def _least(context: AuditContext, numbers: NDArray[np.intp]) -> float:
    """Returns what a drop may be where no decision of the images has changed; 1 if of one group.

    It is the upper end of Wilson's interval of a share of none, each class having the same weight:
    the groups are worth as many as Kish's effective size says (Kish 1965).
    """
    truth, groups = context.truth[numbers], context.groups[numbers]
    sizes = np.bincount(truth)
    shares = np.bincount(groups, 1 / (np.count_nonzero(sizes) * sizes[truth]))
    if np.count_nonzero(shares) == 1:
        return 1.0
    return wilson(0.0, 1 / float(np.square(shares).sum()))[1]
