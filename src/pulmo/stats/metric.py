"""Metric: a value of classified images, and the registry of all metrics.

A metric is a function of a reweighted sample, so that one call computes it for many bootstrap
resamples. To add a metric, put a decorated function into a file of `metrics`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np

from pulmo.core.registry import Registry
from pulmo.stats.cells import Counted, Grid
from pulmo.stats.classified import ClassifiedImages
from pulmo.stats.reweighted import Reweighted
from pulmo.stats.weights import Floats, Weights, divide

Scope = Literal["overall", "class"]
"""overall: one value over all classes. class: one value for each class against the rest."""

Compute = Callable[[Reweighted], Floats]
"""Gives [b] values over all classes or [b, K], one a class; NaN where undefined."""

Excess = Callable[[ClassifiedImages, int, np.random.Generator], float]
"""Images, number of draws and their source -> how far chance lifts a value above its true one.

It is a 97.5th percentile, in the metric's own units.
"""


class Bootstrap(NamedTuple):
    """The interval comes from resamples of groups.

    Attributes:
        excess: for a metric over all classes that chance lifts, by how much: the lower end of the
            interval lies that far below it; None for one that chance moves either way.
        scores: whether the metric needs probabilities; others need only what was decided.
    """

    excess: Excess | None = None
    scores: bool = False


class DeLong(NamedTuple):
    """The interval of an area under a ROC curve comes from its placements."""


class MeanAuc(NamedTuple):
    """The interval is that of the one AUC that there is of two classes; of more, a bootstrap."""


class SharedWith(NamedTuple):
    """The interval is that of another metric over all classes, which estimates the same."""

    name: str


class Wilson(NamedTuple):
    """The interval is that of a proportion, of what is counted in the confusion."""

    cells: Callable[[Grid], Counted]


class Recalls(NamedTuple):
    """The interval is that of the mean of the classes' recalls, made of theirs."""


class Ratio(NamedTuple):
    """The interval is that of the ratio of two independent proportions."""

    cells: Callable[[Grid], tuple[Counted, Counted]]


Interval = Bootstrap | DeLong | MeanAuc | SharedWith | Wilson | Recalls | Ratio


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric; call it with a sample to get its values under weights.

    Attributes:
        scope: whether it gives [b] values over all classes or [b, K], one a class.
        undefined: why it has no value where it has none; `{label}` stands for the class.
        summary: what it is, in one line: the first of its function's docstring.
        compute: gives its values of a reweighted sample.
        interval: how its interval is made.
        bounds: the lowest and the highest value it can have.
        larger_is_better: whether a better model has a larger value.
    """

    scope: Scope
    undefined: str
    summary: str
    compute: Compute
    interval: Interval
    bounds: tuple[float, float] = (0.0, 1.0)
    larger_is_better: bool = True

    @property
    def scores(self) -> bool:
        """Whether it needs probabilities; others need only what was decided."""
        match self.interval:
            case DeLong() | MeanAuc():
                return True
            case SharedWith(name):
                return METRICS[name].scores
            case Bootstrap():
                return self.interval.scores
            case _:
                return False

    def __call__(self, sample: ClassifiedImages) -> Callable[[Weights], Floats]:
        """Returns the function that gives the values of a sample under weights [b, n]."""
        return lambda weights: self.compute(Reweighted(sample, weights))


METRICS: Final = Registry[Metric]("metric", "pulmo.stats.metrics")


def metric(
    name: str,
    scope: Scope,
    *,
    undefined: str = "there are no images",
    bounds: tuple[float, float] = (0.0, 1.0),
    larger_is_better: bool = True,
    interval: Bootstrap | DeLong | MeanAuc | SharedWith | Recalls = Bootstrap(),  # noqa: B008 - it is frozen
) -> Callable[[Compute], Metric]:
    """Returns a decorator that registers a function of a reweighted sample as the metric `name`.

    The arguments are the attributes of `Metric`.
    """

    def decorate(compute: Compute) -> Metric:
        return METRICS.register(name)(
            Metric(
                scope=scope,
                undefined=undefined,
                summary=_summary(compute),
                compute=compute,
                interval=interval,
                bounds=bounds,
                larger_is_better=larger_is_better,
            )
        )

    return decorate


def proportion_metric(
    name: str, scope: Scope, *, undefined: str
) -> Callable[[Callable[[Grid], Counted]], Metric]:
    """Returns a decorator that registers what a proportion counts as the metric `name`."""

    def decorate(count: Callable[[Grid], Counted]) -> Metric:
        def compute(weighted: Reweighted) -> Floats:
            shares = _share(count(Grid(len(weighted.sample.labels))), weighted)
            return shares if scope == "class" else shares[:, 0]

        return METRICS.register(name)(
            Metric(
                scope=scope,
                undefined=undefined,
                summary=_summary(count),
                compute=compute,
                interval=Wilson(count),
            )
        )

    return decorate


def ratio_metric(
    name: str, *, undefined: str, larger_is_better: bool
) -> Callable[[Callable[[Grid], tuple[Counted, Counted]]], Metric]:
    """Returns a decorator that registers the ratio of two proportions, of each class, as `name`."""

    def decorate(count: Callable[[Grid], tuple[Counted, Counted]]) -> Metric:
        def compute(weighted: Reweighted) -> Floats:
            above, below = count(Grid(len(weighted.sample.labels)))
            return divide(_share(above, weighted), _share(below, weighted))

        return METRICS.register(name)(
            Metric(
                scope="class",
                undefined=undefined,
                summary=_summary(count),
                compute=compute,
                interval=Ratio(count),
                bounds=(0.0, float("inf")),
                larger_is_better=larger_is_better,
            )
        )

    return decorate


def _share(counted: Counted, weighted: Reweighted) -> Floats:
    """Returns each proportion, [b, number of proportions]."""
    hits, relevant = (
        np.einsum("bij,kij->bk", weighted.confusion, cells.astype(np.float64))
        for cells in (counted.hits & counted.relevant, counted.relevant)
    )
    return divide(hits, relevant)


def _summary(function: Callable[..., object]) -> str:
    return (function.__doc__ or "").partition("\n")[0]
