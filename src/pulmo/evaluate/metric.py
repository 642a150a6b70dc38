"""Metric: a figure of a sample, and the registry of all metrics.

A metric prepares a statistic on a sample once: a function of weights, one row of them a replicate,
so that one call computes the figure for many bootstrap resamples. To add a metric, put a file with
a decorated function into `metrics`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.registry import Registry
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic, share_of

Scope = Literal["overall", "class"]
"""overall: one figure over all classes. class: one figure for each class against the rest."""


class Counted(NamedTuple):
    """What a proportion counts; arrays [n] for a figure over all classes, [n, K] for one a class.

    Attributes:
        hits: whether a picture counts in the numerator, if it is relevant.
        relevant: whether it counts in the denominator.
    """

    hits: NDArray[np.bool_]
    relevant: NDArray[np.bool_]


Prepare = Callable[[Sample], Statistic]

Count = Callable[[Sample], Counted]

Excess = Callable[[Sample, int, np.random.Generator], float]
"""Sample, number of draws and their source -> how far chance lifts a figure above its true value.

It is a 97.5th percentile, in the figure's own units.
"""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A metric; call it with a sample to get its statistic.

    Attributes:
        scope: whether its statistic gives [b] figures over all classes or [b, K], one a class.
        undefined: why it has no value where it has none; `{label}` stands for the class.
        summary: what it is, in one line: the first of its function's docstring.
        prepare: makes the statistic of a sample.
        count: for a proportion, what it counts; None for any other metric.
        bounds: the lowest and the highest value it can have.
        larger_is_better: whether a better model has a larger value.
        excess: for a figure over all classes that chance lifts, by how much: the lower end of its
            interval lies that far below it; None for a figure that chance moves either way.
    """

    scope: Scope
    undefined: str
    summary: str
    prepare: Prepare
    count: Count | None = None
    bounds: tuple[float, float] = (0.0, 1.0)
    larger_is_better: bool = True
    excess: Excess | None = None

    def __call__(self, sample: Sample) -> Statistic:
        """Returns the statistic of a sample."""
        return self.prepare(sample)


METRICS: Final = Registry[Metric]("metric", "pulmo.evaluate.metrics")


def metric(
    name: str,
    scope: Scope,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    larger_is_better: bool = True,
    undefined: str = "there are no pictures",
    excess: Excess | None = None,
) -> Callable[[Prepare], Metric]:
    """Returns a decorator that registers what prepares a statistic as the metric `name`.

    Its interval comes from the bootstrap, its lower end from `excess` where that is given. The
    arguments are the attributes of `Metric`.
    """

    def decorate(prepare: Prepare) -> Metric:
        return METRICS.register(name)(
            Metric(
                scope=scope,
                undefined=undefined,
                summary=_summary(prepare),
                prepare=prepare,
                bounds=bounds,
                larger_is_better=larger_is_better,
                excess=excess,
            )
        )

    return decorate


def proportion(name: str, scope: Scope, undefined: str) -> Callable[[Count], Metric]:
    """Returns a decorator that registers what a proportion counts as the metric `name`.

    Its interval is Wilson's. The arguments are the attributes of `Metric`.
    """

    def decorate(count: Count) -> Metric:
        return METRICS.register(name)(
            Metric(
                scope=scope,
                undefined=undefined,
                summary=_summary(count),
                prepare=lambda sample: share_of(*count(sample)),
                count=count,
            )
        )

    return decorate


def _summary(function: Prepare | Count) -> str:
    return (function.__doc__ or "").partition("\n")[0]
