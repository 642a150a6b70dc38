"""Robustness: the balanced accuracy after changes of the images, by their strength."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.accuracy import balanced_accuracy
from pulmo.audit.check import Answer, check
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
from pulmo.audit.finding import Cell, Series, Table, Verdict
from pulmo.radiograph.changes import DISTURBANCES, Disturbance
from pulmo.stats.estimate import Estimate

_COLUMNS: Final = ("images are", "balanced accuracy", "drop", "must be harmless")


@check(
    "robustness",
    question="Does the model's accuracy survive small changes of the image?",
    claim=(
        f"loses at most {MARGIN:.2f} of its balanced accuracy when images are slightly turned, "
        "cropped, blurred, noisy, compressed or of another contrast, gamma or resolution"
    ),
)
def robustness(context: AuditContext) -> Answer:
    """Fails where a change that must be harmless surely costs more than the margin.

    Stronger changes are shown and not judged, and so is an inversion: whether a model notices a
    image of the wrong polarity says nothing against it.
    """
    context.require_network()
    numbers = context.some
    require_enough(context, numbers)
    unchanged = require_skill(context, numbers)
    figures, verdicts = {"unchanged": unchanged}, dict[str, Verdict]()
    rows: list[tuple[Cell, ...]] = []
    series = []
    for name, kind in DISTURBANCES.items():
        after = []
        for strength in kind.strengths:
            decided = _decided(context, numbers, name, kind, strength)
            after.append(balanced_accuracy(context, numbers, decided))
            lost = drop(context, numbers, decided)
            judged = strength in kind.harmless
            words = kind.words.format(strength)
            rows.append((words, after[-1], lost, "yes" if judged else "no"))
            if judged:
                figures[f"{name} {strength:g}"] = lost
                verdicts[words] = drop_verdict(lost)
        series.append(_series(name, kind, after, unchanged))
    return Answer(
        worst(*verdicts.values()),
        _sentence(verdicts, unchanged),
        figures,
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


def _sentence(verdicts: dict[str, Verdict], unchanged: Estimate) -> str:
    """Names the changes that cost too much, and those that may."""
    surely = [words for words, verdict in verdicts.items() if verdict == "fails"]
    perhaps = [words for words, verdict in verdicts.items() if verdict == "warns"]
    sentence = f"Unchanged, the balanced accuracy is {unchanged}."
    if surely:
        sentence += (
            f" It surely falls by more than {MARGIN:.2f} when images are {', '.join(surely)}."
        )
    if perhaps:
        sentence += (
            f" That it falls by more than {MARGIN:.2f} cannot be excluded when images are "
            f"{', '.join(perhaps)}."
        )
    if not surely and not perhaps:
        sentence += f" No change that must be harmless costs more than {MARGIN:.2f} of it."
    return sentence
