"""Robustness: the balanced accuracy on changed images, by the strength of the change."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Cell, Series, Table, Verdict
from pulmo.audit.context import AuditContext
from pulmo.audit.drops import (
    MARGIN,
    decided_on,
    drop,
    drop_verdict,
    require_enough,
    require_skill,
    worst,
)
from pulmo.radiograph.changes import DISTURBANCES, Disturbance
from pulmo.stats.estimate import Estimate

_COLUMNS: Final = ("images are", "balanced accuracy", "drop", "must be harmless")


@check(
    "robustness",
    question="Does the model keep its accuracy when the image changes a little?",
    statement=(
        f"The balanced accuracy drops by at most {MARGIN:.2f} when images are slightly turned, "
        "cropped, blurred, noisy, compressed, or of another contrast, gamma or resolution."
    ),
)
def robustness(context: AuditContext) -> Outcome:
    """Fails where a change that must be harmless costs more than the margin.

    Stronger changes are shown without a verdict, and so is an inversion: a model need not work on
    an image of the wrong polarity.
    """
    context.require_network()
    numbers = context.some
    require_enough(context, numbers)
    unchanged = require_skill(context, numbers)
    values, verdicts = {"unchanged": unchanged}, dict[str, Verdict]()
    rows: list[tuple[Cell, ...]] = []
    series = []
    for name, kind in DISTURBANCES.items():
        after = []
        for strength in kind.strengths:
            decided = _decided(context, numbers, name, kind, strength)
            after.append(balanced_accuracy(context, numbers, decided))
            lost = drop(context, numbers, decided)
            is_harmless = strength in kind.harmless
            words = kind.words.format(strength)
            rows.append((words, after[-1], lost, "yes" if is_harmless else "no"))
            if is_harmless:
                values[f"{name} {strength:g}"] = lost
                verdicts[words] = drop_verdict(lost)
        series.append(_series(name, kind, after, unchanged))
    return Outcome(
        worst(*verdicts.values()),
        tuple(_messages(verdicts, unchanged)),
        values,
        (Table(title="Changed images", columns=_COLUMNS, rows=tuple(rows)),),
        tuple(series),
    )


def _decided(
    context: AuditContext, numbers: NDArray[np.intp], name: str, kind: Disturbance, strength: float
) -> NDArray[np.intp]:
    """Returns the class that is decided on after a change, [m]."""
    change = kind.make(strength, context.generator(f"{name} {strength}"))
    return decided_on(context, change(context.images[numbers]), numbers)


def _series(name: str, kind: Disturbance, after: list[Estimate], unchanged: Estimate) -> Series:
    return Series(
        title=name[0].upper() + name[1:],
        x_label=kind.unit,
        y_label="balanced accuracy",
        x=kind.strengths,
        y=tuple(after),
        reference=unchanged.value,
    )


def _messages(verdicts: dict[str, Verdict], unchanged: Estimate) -> Iterator[Message]:
    """Yields the accuracy, the changes that cost too much, and those that may."""
    too_much = [words for words, verdict in verdicts.items() if verdict == "fails"]
    perhaps = [words for words, verdict in verdicts.items() if verdict == "warns"]
    yield Message("unchanged", f"Without a change the balanced accuracy is {unchanged.in_text}.")
    if too_much:
        text = f"It drops by more than {MARGIN:.2f} when images are {', '.join(too_much)}."
        yield Message("drop", text)
    if perhaps:
        text = f"It may drop by more than {MARGIN:.2f} when images are {', '.join(perhaps)}."
        yield Message("possible-drop", text)
    if not too_much and not perhaps:
        text = f"No change that must be harmless lowers it by more than {MARGIN:.2f}."
        yield Message("no-drop", text)
