"""Shortcut floors beside the model's own figure, on the same images."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import accuracy, balanced_accuracy, balanced_difference
from pulmo.audit.check import Answer, check
from pulmo.audit.context import AuditContext
from pulmo.audit.finding import Cell, Table
from pulmo.audit.floors import FLOORS, Unfit, fit_floor
from pulmo.audit.parts import require_fit
from pulmo.stats.estimate import Estimate

_COLUMNS: Final = (
    "what it sees",
    "images",
    "accuracy",
    "balanced accuracy",
    "the model's balanced accuracy",
    "difference",
)


@check(
    "shortcuts",
    question="Does the model do better than what says nothing of the disease?",
    claim="does better than file facts, view, age and thumbnails do on the same images",
)
def shortcuts(context: AuditContext) -> Answer:
    """Fails where a floor is not surely below the model."""
    require_fit(context.parts)
    rows: list[tuple[Cell, ...]] = []
    figures = {"model": _own(context, np.arange(len(context.rows)))}
    above, over = [], []
    for name, kind in FLOORS.items():
        try:
            floor = fit_floor(context, kind)
        except Unfit as reason:
            rows.append((kind.words, 0, *[Estimate.undefined(str(reason))] * 4))
            continue
        at, own = floor.numbers, context.sample.decided[floor.numbers]
        figures[name] = balanced_accuracy(context, at, floor.balanced)
        difference = balanced_difference(context, at, own, floor.balanced).estimate
        plain = accuracy(context, at, floor.decided)
        rows.append((kind.words, len(at), plain, figures[name], _own(context, at), difference))
        if difference.low is None or difference.low <= 0:
            above.append(kind.words)
        if (
            context.options.published is not None
            and (plain.value or 0.0) > context.options.published
        ):
            over.append(f"{kind.words} {plain}")
    table = Table(title="Shortcut floors", columns=_COLUMNS, rows=tuple(rows))
    fitted = {name: figure for name, figure in figures.items() if name != "model"}
    if not fitted:
        return Answer("unknown", "No floor could be fitted.", figures, (table,))
    best = max(fitted, key=lambda name: fitted[name].value or 0.0)
    sentence = (
        f"The best floor ({FLOORS[best].words}) has a balanced accuracy of {fitted[best]}, the "
        f"model {figures['model']}."
    )
    if over:
        sentence += (
            f" The published accuracy of {context.options.published:.3f} is below that of "
            f"{', '.join(over)}."
        )
    if above:
        sentence += f" Not surely below the model: {', '.join(above)}."
    return Answer("fails" if above else "passes", sentence, figures, (table,))


def _own(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the model's own balanced accuracy on rows."""
    return balanced_accuracy(context, numbers, context.sample.decided[numbers])
