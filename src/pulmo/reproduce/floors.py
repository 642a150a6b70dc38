"""Shortcut floors beside a reproduced system: its figures without a look at the lungs."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from pulmo.audit.floors import FLOORS, Unfit, fit_floor
from pulmo.audit.parts import Means, Part
from pulmo.audit.subject import Subject
from pulmo.datasets.cache import cache_folder
from pulmo.evaluate.figures import Figures, figures

BESIDE: Final = ("facts", "thumbnail")
"""The floors that are set beside a system."""

_REPLICATES: Final = 1000


def floor_figures(parts: Sequence[Part]) -> dict[str, Figures | str]:
    """Returns the figures of each floor of `BESIDE`, or why there are none.

    Args:
        parts: the models, what each was fitted on, and what it was judged on.

    Raises:
        InputError: a picture cannot be read.
    """
    subject = Subject(parts, Means(cache_folder()))
    found: dict[str, Figures | str] = {}
    for name in BESIDE:
        try:
            floor = fit_floor(subject, FLOORS[name])
        except Unfit as reason:
            found[name] = str(reason)
            continue
        sample = subject.sample_of(floor.probabilities, floor.numbers)
        plain = replace(sample, decided=floor.decided)
        found[name] = figures(plain, _REPLICATES, subject.generator(name))
    return found
