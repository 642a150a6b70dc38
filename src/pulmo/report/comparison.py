"""Comparison: several evaluations, runs or repeated experiments; the content of `compare.json`."""

from collections.abc import Mapping
from typing import Literal

from pulmo.core.record import Record
from pulmo.stats.estimate import Estimate


class ComparedModel(Record):
    """One of the compared models. What its folder does not state is None."""

    name: str
    kind: Literal["evaluation", "run", "repeats"]
    labels: tuple[str, ...]
    """Its classes."""
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
    evaluated_on: str
    """The images that the metrics come from."""
    n: int
    groups: int | None = None
    metrics: dict[str, Estimate]
    """Metric -> value over all classes."""
    classes: Mapping[str, dict[str, Estimate]] = {}
    """Class -> metric -> value, one class against the rest."""
    support: Mapping[str, int] = {}
    """Class -> images."""


class PairedTest(Record):
    """One metric of two models on the same images."""

    name: str
    against: str
    metric: Literal["auc", "accuracy"]
    of: str
    """The classes that the AUC compares with the rest; for an accuracy, what is decided."""
    difference: Estimate
    """The value of `name` minus that of `against`."""
    p: float | None
    p_holm: float | None
    """Corrected over the comparisons of this metric (Holm 1979)."""
    test: str


class Comparison(Record):
    """All models side by side."""

    format: Literal[2] = 2
    models: tuple[ComparedModel, ...]
    against: str
    """The model that the others are tested against."""
    tests: tuple[PairedTest, ...]
    notes: tuple[str, ...]
    """Unstated sources, and reasons why there is no paired test, as sentences."""
