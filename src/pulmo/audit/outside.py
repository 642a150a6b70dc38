"""Outside: judged pictures from where no training picture is."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.parts import Part, require_fit
from pulmo.audit.subject import Subject


def outside(subject: Subject) -> NDArray[np.bool_]:
    """Tells which judged pictures are of a source and an origin that their model never saw, [n].

    Raises:
        Unanswered: nothing tells what it saw.
    """
    found = np.zeros(len(subject.rows), np.bool_)
    for number, part in enumerate(subject.parts):
        mine = subject.rows[subject.part == number]
        used = _known_to(part)
        found[subject.part == number] = ~(mine["source"].isin(used) | mine["origin"].isin(used))
    return found


def _known_to(part: Part) -> set[str]:
    """Returns the sources and origins that a part's model was fitted on, or those of its card."""
    if part.fit.empty and part.model.card is not None:
        counts = part.model.card.training.sources.values()
        return {source for sources in counts for source in sources}
    require_fit([part])
    return set(part.fit["source"]) | set(part.fit["origin"].dropna())
