"""Comparison: several evaluations, runs or repeated experiments; the content of `compare.json`."""

from collections.abc import Mapping
from typing import Literal

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate


class Entrant(Record):
    """One of those compared. What its folder does not say is None."""

    name: str
    kind: Literal["evaluation", "run", "repeats"]
    labels: tuple[str, ...]
    """The classes that it tells apart."""
    positive: tuple[str, ...] = ()
    """Classes that count as positive; empty if none was named."""
    recipe: str | None = None
    backbone: str | None = None
    parameters: int | None = None
    runs: int = 1
    epochs: float | None = None
    """Epochs of training; of several runs their mean."""
    minutes: float | None = None
    """Time spent on training steps, in all runs."""
    judged_on: str
    """The images that the figures come from."""
    n: int
    groups: int | None = None
    figures: dict[str, Estimate]
    """Metric -> figure over all classes."""
    classes: Mapping[str, dict[str, Estimate]] = {}
    """Class -> metric -> figure, one against the rest."""
    support: Mapping[str, int] = {}
    """Class -> images."""


class PairedTest(Record):
    """One figure of two models on the same images."""

    name: str
    against: str
    figure: Literal["auc", "accuracy"]
    of: str
    """The classes that the AUC tells from the rest; for an accuracy, what is decided."""
    difference: Estimate
    """The figure of `name` minus that of `against`."""
    p: float | None
    p_holm: float | None
    """Corrected over the comparisons of this figure (Holm 1979)."""
    test: str


class Comparison(Record):
    """All of them side by side."""

    format: Literal[1] = 1
    entrants: tuple[Entrant, ...]
    against: str
    """The one that the others are tested against."""
    tests: tuple[PairedTest, ...]
    notes: tuple[str, ...]
    """Which sources are not stated, and why there is no paired test, as sentences."""
