"""Shortcuts: the model against baselines that see no sign of the disease, on the same images."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import accuracy, balanced_accuracy, balanced_difference
from pulmo.audit.baselines import BASELINES, NoBaseline, fit_baseline
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Cell, Table
from pulmo.audit.context import AuditContext
from pulmo.audit.parts import require_fit
from pulmo.stats.estimate import Estimate

_COLUMNS: Final = (
    "what the baseline sees",
    "images",
    "accuracy",
    "balanced accuracy",
    "the model's balanced accuracy",
    "difference",
)


@check(
    "shortcuts",
    question="Is the model better than baselines that see no sign of the disease?",
    statement=(
        "The model is better than baselines that see only file facts, view, age or thumbnails."
    ),
)
def shortcuts(context: AuditContext) -> Outcome:
    """Fails where a baseline is not significantly below the model."""
    require_fit(context.parts)
    rows: list[tuple[Cell, ...]] = []
    values = {"model": _own(context, np.arange(len(context.rows)))}
    above, over = [], []
    for name, kind in BASELINES.items():
        try:
            baseline = fit_baseline(context, kind)
        except NoBaseline as reason:
            rows.append((kind.words, 0, *[Estimate.undefined(str(reason))] * 4))
            continue
        at, own = baseline.numbers, context.sample.decided[baseline.numbers]
        values[name] = balanced_accuracy(context, at, baseline.balanced)
        difference = balanced_difference(context, at, own, baseline.balanced).estimate
        plain = accuracy(context, at, baseline.decided)
        rows.append((kind.words, len(at), plain, values[name], _own(context, at), difference))
        if difference.low is None or difference.low <= 0:
            above.append(kind.words)
        if (
            context.options.published is not None
            and (plain.value or 0.0) > context.options.published
        ):
            over.append(f"{kind.words} {plain}")
    table = Table(title="Shortcut baselines", columns=_COLUMNS, rows=tuple(rows))
    fitted = {name: value for name, value in values.items() if name != "model"}
    if not fitted:
        message = Message("no-baseline", "No shortcut baseline could be fitted.")
        return Outcome("could_not_run", (message,), values, (table,))
    best = max(fitted, key=lambda name: fitted[name].value or 0.0)
    text = (
        f"The balanced accuracy of the model is {values['model'].in_text}, that of the best "
        f"shortcut baseline ({BASELINES[best].words}) {fitted[best].in_text}."
    )
    messages = [Message("best-baseline", text)]
    if over:
        text = (
            f"The published accuracy of {context.options.published:.3f} is below that of these "
            f"baselines: {', '.join(over)}."
        )
        messages.append(Message("above-published", text))
    if above:
        text = (
            f"The model is not significantly better than these baselines: {', '.join(above)}. It "
            "may have learnt the same shortcuts."
        )
        messages.append(Message("not-better", text))
    if "lungless" in fitted:
        messages += context.mask_messages
    return Outcome("fails" if above else "passes", tuple(messages), values, (table,))


def _own(context: AuditContext, numbers: NDArray[np.intp]) -> Estimate:
    """Returns the model's own balanced accuracy on rows."""
    return balanced_accuracy(context, numbers, context.sample.decided[numbers])
