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
    within: tuple[str, ...] = ()
    """The comparisons of two classes within one source, as `covid against normal in cohen`; their
    mean AUC is the metric `within_source_auc`, which is there if predictions of held-out images
    are."""


class PairedTest(Record):
    """One metric of two models on the same images."""

    name: str
    against: str
    metric: Literal["auc", "accuracy", "within_source_auc"]
    of: str
    """The classes that the AUC compares with the rest; for an accuracy, what is decided."""
    difference: Estimate
    """The value of `name` minus that of `against`."""
    p: float | None
    p_holm: float | None
    """Corrected over the comparisons of this metric (Holm 1979)."""
    test: str


class Order(Record):
    """Models with the same classes, the best first, by one figure of all of them.

    A pooled figure can be high because a model knows the sources, so the figure within one source
    decides where there is one.
    """

    by: Literal["within_source_auc", "auc", "macro_auc", "balanced_accuracy"]
    names: tuple[str, ...]
    pooled: tuple[str, ...] = ()
    """The same models by the pooled figure, where another one decides; empty if it is missing."""
    sentences: tuple[str, ...]
    """Which model is better by which figure, and what is not known."""


class Comparison(Record):
    """All models side by side."""

    format: Literal[2] = 2
    models: tuple[ComparedModel, ...]
    against: str
    """The model that the others are tested against."""
    tests: tuple[PairedTest, ...]
    notes: tuple[str, ...]
    """Unstated sources, and reasons why there is no paired test, as sentences."""
    orders: tuple[Order, ...] = ()
    """One for each set of classes that two models or more have."""
