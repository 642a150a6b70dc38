"""Corners: side markers, text and edges, which depend on the hospital and not on the lungs.

Each is hidden, in black and in the image's mean grey, and then all else is. In 398 lung masks of
two public sets the corners held 0.6 % of the lungs and the edges 0.8 %, on average.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo import stats
from pulmo.audit.accuracy import balanced_accuracy, chance
from pulmo.audit.check import Message, Outcome, check
from pulmo.audit.check_result import Cell, Table, Verdict
from pulmo.audit.context import AuditContext, Pixels
from pulmo.audit.drops import (
    MARGIN,
    decided_on,
    drop,
    drop_verdict,
    require_enough,
    require_skill,
    worst,
)
from pulmo.stats.estimate import Estimate

CORNER: Final = 0.15
"""Share of the side that a hidden corner has."""

EDGE: Final = 1 / 16
"""Share of the side that a hidden edge has."""

ALONE: Final = "corners and edges alone"

_COLUMNS: Final = ("shown", "balanced accuracy", "drop", "changed decisions")


@check(
    "corners",
    question="Does the model use markers, text or edges of the image?",
    statement=(
        f"Hiding the corners and edges costs at most {MARGIN:.2f} of the balanced accuracy, and "
        "the corners and edges alone do not show the class."
    ),
)
def corners(context: AuditContext) -> Outcome:
    """Fails where hiding them costs more than the margin, or where they alone show the class.

    An unusual grey may cost something by itself, so hiding fails only if it costs too much in black
    and in mean grey; in one of them it warns. The corners and edges alone show the class where the
    whole interval of the balanced accuracy is above chance plus the margin; above chance it warns.
    """
    context.require_network()
    numbers = context.some
    require_enough(context, numbers)
    require_skill(context, numbers)
    guessing = chance(context, numbers)
    accuracies, drops = dict[str, Estimate](), dict[str, Estimate]()
    rows: list[tuple[Cell, ...]] = []
    for name, images in _shown(context.images[numbers]).items():
        decided = decided_on(context, images, numbers)
        flips = decided != context.sample.decided[numbers]
        share = stats.proportion(flips, context.groups[numbers])
        accuracies[name] = balanced_accuracy(context, numbers, decided)
        drops[name] = drop(context, numbers, decided)
        rows.append((name, accuracies[name], drops[name], share))
    alone = accuracies[ALONE]
    del drops[ALONE]
    verdict = worst(
        _part_verdict(drops["corners black"], drops["corners mean grey"]),
        _part_verdict(drops["edges black"], drops["edges mean grey"]),
        _alone_verdict(alone, guessing),
    )
    most = max(drops, key=lambda name: drops[name].value or 0.0)
    messages = (
        Message(
            "hidden",
            f"Hiding corners or edges lowers the balanced accuracy by at most "
            f"{drops[most].in_text} ({most}).",
        ),
        Message(
            "alone",
            f"Corners and edges alone give a balanced accuracy of {alone.in_text}; chance is "
            f"{guessing:.2f}.",
        ),
    )
    table = Table(title="Hidden parts", columns=_COLUMNS, rows=tuple(rows))
    return Outcome(verdict, messages, drops | {ALONE: alone}, (table,))


def regions(size: int) -> dict[str, NDArray[np.bool_]]:
    """Returns where the corners and the edges of an image are, [size, size]."""
    place = np.minimum(np.arange(size), np.arange(size)[::-1])
    corner, edge = place < round(size * CORNER), place < round(size * EDGE)
    return {"corners": corner[:, np.newaxis] & corner, "edges": edge[:, np.newaxis] | edge}


def hide(images: Pixels, where: NDArray[np.bool_], grey: float | NDArray[np.floating]) -> Pixels:
    """Returns images [n, size, size] with one grey, or one each, [n], at places [size, size]."""
    greys = np.broadcast_to(np.asarray(grey), len(images))[:, np.newaxis, np.newaxis]
    return np.where(where, np.rint(greys).astype(np.uint8), images)


def _shown(images: Pixels) -> dict[str, Pixels]:
    """Returns the changed images by name."""
    places, mean = regions(images.shape[1]), images.mean(axis=(1, 2))
    shown = {}
    for region, where in places.items():
        shown[f"{region} black"] = hide(images, where, 0)
        shown[f"{region} mean grey"] = hide(images, where, mean)
    inner = ~np.logical_or.reduce(list(places.values()))
    return shown | {ALONE: hide(images, inner, 0)}


def _part_verdict(black: Estimate, grey: Estimate) -> Verdict:
    """Returns the verdict on a hidden part, from the drops in black and in mean grey."""
    found = {drop_verdict(black), drop_verdict(grey)}
    return found.pop() if len(found) == 1 else "warns"


def _alone_verdict(alone: Estimate, guessing: float) -> Verdict:
    low = guessing if alone.low is None else alone.low
    if low > guessing + MARGIN:
        return "fails"
    return "warns" if low > guessing else "passes"
