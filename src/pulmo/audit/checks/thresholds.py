"""Thresholds: sensitivity and specificity here, compared with the validation images."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from pulmo import stats
from pulmo.audit.check import CannotRun, Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.screening import sensitivity, specificity
from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import significantly_above

MARGIN: Final = 0.1
"""Loss of specificity above which the check fails: one more negative in ten becomes positive."""

_COLUMNS: Final = (
    "model",
    "threshold",
    "sensitivity on validation",
    "sensitivity here",
    "lost",
    "specificity on validation",
    "specificity here",
    "lost",
)


@check(
    "thresholds",
    question="Does the threshold give the same sensitivity and specificity as on validation?",
    statement=(
        "The sensitivity significantly reaches its aim, and the specificity is not significantly "
        "below that on the validation images."
    ),
)
def thresholds(context: AuditContext) -> Outcome:
    """Fails where the sensitivity is significantly below its aim, or much specificity is lost.

    Warns where the sensitivity may be below its aim, or some specificity is lost.
    """
    if context.model.card is None:
        raise CannotRun(
            "no-card",
            "These predictions have no model card: the values on the validation images are "
            "unknown.",
        )
    everywhere = np.arange(len(context.rows))
    found, spared = sensitivity(context, everywhere), specificity(context, everywhere)
    if found.value is None:
        raise CannotRun("no-positive-image", f"The sensitivity is undefined: {found.reason}.")
    aim = context.model.card.decision.aim
    rows = [_row(context, place) for place in range(len(context.parts))]
    text = (
        f"The sensitivity is {found.in_text}; the threshold was chosen for {aim:.2f}. "
        f"The specificity is {spared.in_text}."
    )
    faults = list(_sensitivity(found, aim))
    faults += _specificity([row[-1] for row in rows if isinstance(row[-1], Estimate)])
    verdicts = [verdict for verdict, _ in faults]
    return Outcome(
        "fails" if "fails" in verdicts else "warns" if verdicts else "passes",
        (Message("values", text), *(message for _, message in faults)),
        {"sensitivity": found, "specificity": spared},
        (Table(title="Validation images and these images", columns=_COLUMNS, rows=tuple(rows)),),
    )


def _sensitivity(found: Estimate, aim: float) -> Iterator[tuple[Verdict, Message]]:
    """Yields the fault of the sensitivity, if any."""
    if found.high is not None and found.high < aim:
        text = "The sensitivity is significantly below its aim. Choose a threshold on local images."
        yield "fails", Message("sensitivity-below-aim", text)
    elif found.low is None or found.low < aim:
        yield "warns", Message("sensitivity-uncertain", "The sensitivity may be below its aim.")


def _specificity(lost: Sequence[Estimate]) -> Iterator[tuple[Verdict, Message]]:
    """Yields the fault of the specificity, from the loss of each part."""
    if significantly_above(lost, MARGIN).any():
        text = (
            f"The specificity is significantly more than {MARGIN} below that on validation images."
        )
        yield "fails", Message("specificity-much-lower", text)
    elif significantly_above(lost, 0.0).any():
        text = "The specificity is significantly below that on the validation images."
        yield "warns", Message("specificity-lower", text)


def _row(context: AuditContext, place: int) -> tuple[Cell, ...]:
    """Returns the values of one part on validation, from its card, and here."""
    mine = np.flatnonzero(context.part == place)
    decision = context.parts[place].model.network.card.decision
    found, spared = sensitivity(context, mine), specificity(context, mine)
    return (
        f"part {place + 1}",
        f"{decision.threshold:.3f}",
        decision.sensitivity,
        found,
        stats.difference(decision.sensitivity, found),
        decision.specificity,
        spared,
        stats.difference(decision.specificity, spared),
    )
