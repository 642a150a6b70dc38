"""Sensitivity and specificity at the card's threshold, beside what validation promised."""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from pulmo import stats
from pulmo.audit.check import Answer, Unanswered, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table, Verdict
from pulmo.audit.screening import sensitivity, specificity
from pulmo.stats.estimate import Estimate
from pulmo.stats.multiple import surely_above

LOSS: Final = 0.1
"""Loss of specificity since validation beyond which the threshold does not carry over: one negative
more in ten would be called positive."""

_COLUMNS: Final = (
    "model",
    "threshold",
    "sensitivity promised",
    "sensitivity here",
    "lost",
    "specificity promised",
    "specificity here",
    "lost",
)


@check(
    "thresholds",
    question="Does the threshold keep what the validation images promised?",
    claim=(
        "surely reaches the sensitivity that its threshold was chosen for, and is not surely less "
        "specific than on the validation images"
    ),
)
def thresholds(context: AuditContext) -> Answer:
    """Fails where the sensitivity is surely below its aim, or much specificity is surely lost.

    Warns where the sensitivity does not surely reach its aim, or some specificity is surely lost.
    """
    if context.model.card is None:
        raise Unanswered(
            "The predictions come without a card, so that nothing was promised that could be kept."
        )
    everywhere = np.arange(len(context.rows))
    found, spared = sensitivity(context, everywhere), specificity(context, everywhere)
    if found.value is None:
        raise Unanswered(f"The sensitivity is undefined: {found.reason}.")
    aim = context.model.card.decision.aim
    rows = [_row(context, place) for place in range(len(context.parts))]
    sentence = (
        f"The thresholds were chosen for a sensitivity of {aim:.2f}. Here the sensitivity is "
        f"{found} and the specificity {spared}."
    )
    faults = list(_sensitivity(found, aim))
    faults += _specificity([row[-1] for row in rows if isinstance(row[-1], Estimate)])
    verdicts = [verdict for verdict, _ in faults]
    return Answer(
        "fails" if "fails" in verdicts else "warns" if verdicts else "passes",
        " ".join([sentence, *(words for _, words in faults)]),
        {"sensitivity": found, "specificity": spared},
        (Table(title="Promised and kept", columns=_COLUMNS, rows=tuple(rows)),),
    )


def _sensitivity(found: Estimate, aim: float) -> Iterator[tuple[Verdict, str]]:
    """Yields what is wrong with the sensitivity."""
    if found.high is not None and found.high < aim:
        yield "fails", "The sensitivity is surely below its aim."
    elif found.low is None or found.low < aim:
        yield "warns", "The sensitivity does not surely reach its aim."


def _specificity(lost: Sequence[Estimate]) -> Iterator[tuple[Verdict, str]]:
    """Yields what is wrong with the specificity, of which each part lost something."""
    if surely_above(lost, LOSS).any():
        yield "fails", f"The specificity is surely more than {LOSS} below that of validation."
    elif surely_above(lost, 0.0).any():
        yield "warns", "The specificity is surely below that of validation."


def _row(context: AuditContext, place: int) -> tuple[Cell, ...]:
    """Returns what one part's card promises and what its model keeps."""
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
