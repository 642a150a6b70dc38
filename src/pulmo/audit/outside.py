"""Outside: judged pictures from where no training picture is."""

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.subject import Subject


def outside(subject: Subject) -> NDArray[np.bool_]:
    """Tells which judged pictures are of a source and an origin that their model never saw, [n]."""
    found = np.zeros(len(subject.rows), np.bool_)
    for number, part in enumerate(subject.parts):
        mine = subject.rows[subject.part == number]
        used = set(part.fit["source"]) | set(part.fit["origin"].dropna())
        found[subject.part == number] = ~(mine["source"].isin(used) | mine["origin"].isin(used))
    return found
