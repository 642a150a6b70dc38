"""Outcome: what came of reproducing one run of a published system."""

from collections.abc import Mapping
from math import hypot

from pulmo.core.estimate import Estimate
from pulmo.core.record import Record


class Figure(Record):
    """A figure of the authors beside ours."""

    name: str
    published: Estimate | None
    """None where they give none."""
    ours: Estimate
    floors: Mapping[str, Estimate] = {}
    """Shortcut floor -> the figure of what sees no lung, on the same pictures."""


class Outcome(Record):
    """One run."""

    experiment: str
    recipe: str
    """Its name; that of a cheaper variant ends in -quick."""
    backbone: str
    figures: tuple[Figure, ...]
    n: int
    """Pictures of our test."""
    labels: dict[str, int]
    """Class -> pictures of our test."""
    epochs: int
    minutes: float
    """Of training, all epochs together."""
    notes: tuple[str, ...]
    """What is peculiar to this run, as sentences."""
    differs: tuple[str, ...]
    """What differs from the published system in all its runs, as sentences."""


def mean_of(first: Estimate, second: Estimate) -> Estimate:
    """Returns the mean of two figures of different pictures, such as sensitivity and specificity.

    Its interval combines theirs by MOVER (Zou and Donner 2008, equation 7).
    """
    n = first.n + second.n
    for part in (first, second):
        if part.value is None:
            return Estimate.undefined(part.reason or "a part of it is undefined", n)
    values = [part.value for part in (first, second) if part.value is not None]
    lows = [part.low for part in (first, second) if part.low is not None]
    highs = [part.high for part in (first, second) if part.high is not None]
    value = sum(values) / 2
    if len(lows) < 2 or len(highs) < 2:
        return Estimate(value, None, None, n, "a part of it has no interval")
    down = hypot(values[0] - lows[0], values[1] - lows[1]) / 2
    up = hypot(highs[0] - values[0], highs[1] - values[1]) / 2
    return Estimate(value, max(value - down, 0.0), min(value + up, 1.0), n)
