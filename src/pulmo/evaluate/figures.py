"""Figures: every registered metric of a sample, each with its interval."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.estimate import Estimate
from pulmo.evaluate.bootstrap import (
    bootstrap,
    percentile_estimate,
    without_interval_if_scarce,
)
from pulmo.evaluate.intervals import proportion_estimate
from pulmo.evaluate.metric import METRICS, Counted, Metric
from pulmo.evaluate.sample import Sample


class Figures(NamedTuple):
    """Estimates of every metric.

    Attributes:
        overall: metric -> figure over all classes.
        classes: class -> metric -> figure of the class against the rest.
    """

    overall: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]


def figures(sample: Sample, replicates: int, generator: np.random.Generator) -> Figures:
    """Computes every metric of a sample.

    Proportions have Wilson's interval, the other metrics a bootstrap interval over groups; all of
    the latter share the same resamples.

    Args:
        sample: the pictures.
        replicates: number of bootstrap resamples.
        generator: source of their randomness.
    """
    resampled = {name: metric(sample) for name, metric in METRICS.items() if not metric.count}
    draws = bootstrap(resampled, sample.groups, replicates, generator)
    overall: dict[str, Estimate] = {}
    classes: dict[str, dict[str, Estimate]] = {label: {} for label in sample.labels}
    for name, metric in METRICS.items():
        if metric.count:
            estimates = _proportions(metric, metric.count(sample), sample)
        else:
            estimates = _resampled(metric, draws[name], sample, generator)
        if metric.scope == "overall":
            overall[name] = estimates[0]
        else:
            for label, estimate in zip(sample.labels, estimates, strict=True):
                classes[label][name] = estimate
    return Figures(overall, classes)


def _proportions(metric: Metric, counted: Counted, sample: Sample) -> list[Estimate]:
    """Returns the estimates of a proportion: one in all, or one a class."""
    columns = (array.reshape(len(sample), -1).T for array in counted)
    return [
        proportion_estimate(hits[relevant], sample.groups[relevant], reason)
        for hits, relevant, reason in zip(*columns, _reasons(metric, sample), strict=True)
    ]


def _resampled(
    metric: Metric, draws: NDArray[np.float64], sample: Sample, generator: np.random.Generator
) -> list[Estimate]:
    """Returns the estimates of a metric that was resampled: one in all, or one a class."""
    values = metric(sample)(np.ones((1, len(sample)))).reshape(-1)
    columns = draws.reshape(len(draws), -1).T
    estimates = [
        percentile_estimate(value, column, len(sample), reason)
        for value, column, reason in zip(values, columns, _reasons(metric, sample), strict=True)
    ]
    if metric.excess and estimates[0].low is not None:
        low = float(values[0]) - metric.excess(sample, len(draws), generator)
        estimates = [estimates[0]._replace(low=max(low, metric.bounds[0]))]
    if metric.scope == "overall":
        return estimates
    return [
        without_interval_if_scarce(estimate, positive, sample.groups)
        for estimate, positive in zip(estimates, sample.is_class.T, strict=True)
    ]


def _reasons(metric: Metric, sample: Sample) -> list[str]:
    """Returns why the metric is undefined where it is: one sentence in all, or one a class."""
    if metric.scope == "overall":
        return [metric.undefined]
    return [metric.undefined.format(label=label) for label in sample.labels]
