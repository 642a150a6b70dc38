"""Corners: side markers, text and edges, which say something of the hospital and not of the lungs.

Each is hidden, in black and in the picture's mean grey, and then all else is.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.chance import chance
from pulmo.audit.check import Answer, check
from pulmo.audit.drops import MARGIN, decided_after, drop, drop_verdict, require_enough, worst
from pulmo.audit.finding import Cell, Table, Verdict
from pulmo.audit.shares import balanced_accuracy
from pulmo.audit.subject import Pixels, Subject
from pulmo.core.estimate import Estimate
from pulmo.evaluate.intervals import proportion_estimate

CORNER: Final = 0.15
"""Share of the side that a hidden corner has."""

EDGE: Final = 1 / 16
"""Share of the side that a hidden edge has."""

_COLUMNS: Final = ("shown", "balanced accuracy", "drop", "changed decisions")


@check(
    "corners",
    question="Does the model decide by markers, text and edges?",
    claim=(
        f"loses at most {MARGIN:.2f} of its balanced accuracy when the corners and edges of the "
        "films are hidden, and does not tell the classes by them alone"
    ),
)
def corners(subject: Subject) -> Answer:
    """Fails where hiding them surely costs more than the margin, or they alone tell the classes.

    Alone they tell the classes where the balanced accuracy is surely above chance by more than the
    margin; it warns where it is surely above chance.
    """
    numbers = subject.some
    require_enough(subject, numbers)
    pictures, own = subject.pictures[numbers], subject.sample.decided[numbers]

    def decide(shown: Pixels) -> NDArray[np.intp]:
        return decided_after(subject, lambda _: shown, numbers)

    rows: list[tuple[Cell, ...]] = [
        ("the films", balanced_accuracy(subject, numbers, own), Estimate(0, 0, 0, len(own)), "-")
    ]
    figures, verdicts = dict[str, Estimate](), list[Verdict]()
    for region, where in regions(pictures.shape[1]).items():
        for colour, hidden in (("black", 0), ("mean grey", pictures.mean(axis=(1, 2)))):
            decided = decide(hide(pictures, where, hidden))
            lost = drop(subject, numbers, decided)
            figures[f"{region} {colour}"] = lost
            verdicts.append(drop_verdict(lost))
            rows.append((f"{region} {colour}", *_figures(subject, numbers, decided, lost)))
    both = np.logical_or.reduce(list(regions(pictures.shape[1]).values()))
    decided = decide(hide(pictures, ~both, 0))
    alone = balanced_accuracy(subject, numbers, decided)
    figures["corners and edges alone"] = alone
    verdicts.append(_alone_verdict(alone, chance(subject, numbers)))
    lost = drop(subject, numbers, decided)
    rows.append(("corners and edges alone", *_figures(subject, numbers, decided, lost)))
    worst_name = max(list(figures)[:-1], key=lambda name: figures[name].value or 0.0)
    sentence = (
        f"Hiding corners or edges costs at most {figures[worst_name]} of the balanced accuracy "
        f"({worst_name}). Corners and edges alone give a balanced accuracy of {alone}, where "
        f"chance is {chance(subject, numbers):.2f}."
    )
    table = Table(title="Hidden parts", columns=_COLUMNS, rows=tuple(rows))
    return Answer(worst(*verdicts), sentence, figures, (table,))


def regions(size: int) -> dict[str, NDArray[np.bool_]]:
    """Returns where the corners and the edges of a picture are, [size, size]."""
    place = np.minimum(np.arange(size), np.arange(size)[::-1])
    corner, edge = place < round(size * CORNER), place < round(size * EDGE)
    return {"corners": corner[:, np.newaxis] & corner, "edges": edge[:, np.newaxis] | edge}


def hide(pictures: Pixels, where: NDArray[np.bool_], grey: float | NDArray[np.floating]) -> Pixels:
    """Returns pictures [n, size, size] with one grey, or one each, [n], at places [size, size]."""
    greys = np.broadcast_to(np.asarray(grey), len(pictures))[:, np.newaxis, np.newaxis]
    return np.where(where, np.rint(greys).astype(np.uint8), pictures)


def _figures(
    subject: Subject, numbers: NDArray[np.intp], decided: NDArray[np.intp], lost: Estimate
) -> tuple[Cell, ...]:
    """Returns the cells of a row after its name."""
    flips = decided != subject.sample.decided[numbers]
    share = proportion_estimate(flips, subject.groups[numbers], "there are no pictures")
    return balanced_accuracy(subject, numbers, decided), lost, share


def _alone_verdict(alone: Estimate, guessing: float) -> Verdict:
    low = guessing if alone.low is None else alone.low
    if low > guessing + MARGIN:
        return "fails"
    return "warns" if low > guessing else "passes"
