"""Outcome: what came of reproducing one run of a published system."""

from collections.abc import Mapping

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate


class Figure(Record):
    """A figure of the authors beside ours."""

    name: str
    published: Estimate | None
    """None where they give none."""
    ours: Estimate
    floors: Mapping[str, Estimate] = {}
    """Shortcut floor -> the figure of what sees no lung, on the same images."""


class Outcome(Record):
    """One run."""

    experiment: str
    recipe: str
    """Its name; that of a cheaper variant ends in -quick."""
    backbone: str
    figures: tuple[Figure, ...]
    n: int
    """Images of our test."""
    labels: dict[str, int]
    """Class -> images of our test."""
    epochs: int
    minutes: float
    """Of training, all epochs together."""
    notes: tuple[str, ...]
    """What is peculiar to this run, as sentences."""
    differs: tuple[str, ...]
    """What differs from the published system in all its runs, as sentences."""
