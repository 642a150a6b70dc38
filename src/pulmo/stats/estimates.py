"""Estimates: every registered metric of classified images, each with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from pulmo.stats.cells import Counted, Grid
from pulmo.stats.classified import NO_SCORES, ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.metric import (
    METRICS,
    Bootstrap,
    DeLong,
    MeanAuc,
    Metric,
    Ratio,
    Recalls,
    SharedWith,
    Wilson,
)
from pulmo.stats.proportions import Proportion, balanced_accuracy, proportion, ratio
from pulmo.stats.resampling import bootstrap, interval_estimate, jackknife, tails
from pulmo.stats.reweighted import Reweighted
from pulmo.stats.roc import auc, without_interval_if_scarce
from pulmo.stats.weights import Floats, Weights


class Estimates(NamedTuple):
    """Estimates of every metric.

    Attributes:
        overall: metric -> estimate over all classes.
        classes: class -> metric -> estimate of the class against the rest.
    """

    overall: dict[str, Estimate]
    classes: dict[str, dict[str, Estimate]]


@dataclass(frozen=True, eq=False)
class _Resampled:
    """What the intervals are made from.

    Attributes:
        sample: the images.
        generator: source of randomness.
        draws: metric -> values of the resamples, [replicates, 1 or K].
        left_out: metric -> values without a part of the groups, [parts, 1 or K].
        replicates: number of resamples.
    """

    sample: ClassifiedImages
    generator: np.random.Generator
    draws: dict[str, Floats]
    left_out: dict[str, Floats]
    replicates: int


def compute(sample: ClassifiedImages, names: list[str], weights: Weights) -> dict[str, Floats]:
    """Returns metric -> values [b, 1 or K] under each row of weights [b, n]."""
    weighted = Reweighted(sample, weights)
    return {name: METRICS[name].compute(weighted).reshape(len(weights), -1) for name in names}


def estimate_metrics(
    sample: ClassifiedImages,
    replicates: int,
    generator: np.random.Generator,
    names: Sequence[str] | None = None,
) -> Estimates:
    """Computes metrics of a sample.

    Proportions have Wilson's interval, the mean of the recalls one that is made of theirs, areas
    under ROC curves DeLong's, ratios of proportions that of their logarithm, the other metrics a
    bootstrap interval over groups; all of the latter share the same resamples.

    Args:
        sample: the images.
        replicates: number of bootstrap resamples.
        generator: source of their randomness.
        names: the metrics, with those whose interval they share; None: every one.
    """
    metrics = {name: METRICS[name] for name in names or METRICS}
    drawn = [name for name, metric in metrics.items() if _is_drawn(metric, sample)]
    values = compute(sample, list(metrics), np.ones((1, len(sample)), np.uint8))
    statistics = partial(compute, sample, drawn)
    draws = bootstrap(statistics, sample.groups, replicates, generator)
    left_out = jackknife(statistics, sample.groups)
    resampled = _Resampled(sample, generator, draws, left_out, replicates)
    overall: dict[str, Estimate] = {}
    classes: dict[str, dict[str, Estimate]] = {label: {} for label in sample.labels}
    for name, metric in metrics.items():
        if metric.scope == "overall":
            if not isinstance(metric.interval, SharedWith):
                overall[name] = _estimates(name, metric, values[name][0], resampled)[0]
        else:
            found = _estimates(name, metric, values[name][0], resampled)
            for label, estimate in zip(sample.labels, found, strict=True):
                classes[label][name] = estimate
    for name, metric in metrics.items():
        if isinstance(metric.interval, SharedWith):
            overall[name] = _shared(float(values[name][0, 0]), overall[metric.interval.name])
    overall = {name: overall[name] for name in metrics if name in overall}
    if sample.scored:
        return Estimates(overall, classes)
    return Estimates(
        _without_scores(overall), {label: _without_scores(own) for label, own in classes.items()}
    )


def _without_scores(found: dict[str, Estimate]) -> dict[str, Estimate]:
    """Returns estimates without those that need probabilities, which are not known."""
    return {
        name: Estimate.undefined(NO_SCORES, estimate.n) if METRICS[name].scores else estimate
        for name, estimate in found.items()
    }


def _is_drawn(metric: Metric, sample: ClassifiedImages) -> bool:
    """Tells whether the interval of a metric comes from resamples."""
    several = isinstance(metric.interval, MeanAuc) and len(sample.labels) > 2
    return several or isinstance(metric.interval, Bootstrap)


def _estimates(name: str, metric: Metric, values: Floats, resampled: _Resampled) -> list[Estimate]:
    """Returns the estimates of a metric: one in all, or one a class."""
    sample = resampled.sample
    grid, reasons = Grid(len(sample.labels)), _reasons(metric, sample)
    match metric.interval:
        case Wilson(cells):
            hits, relevant = cells(grid).masks(sample.truth, sample.decided)
            return [
                proportion(hit[row], sample.groups[row], undefined=reason)
                for hit, row, reason in zip(hits, relevant, reasons, strict=True)
            ]
        case MeanAuc() if not _is_drawn(metric, sample):
            side, scores = sample.is_class[:, 0], sample.probabilities[:, 0]
            return [auc(side, scores, sample.groups, undefined=reasons[0])]
        case Recalls():
            right = sample.decided == sample.truth
            return [balanced_accuracy(right, sample.truth, sample.groups, undefined=reasons[0])]
        case Ratio(cells):
            return _ratios(cells(grid), sample, reasons)
        case DeLong():
            columns = zip(sample.is_class.T, sample.probabilities.T, reasons, strict=True)
            return [
                auc(side, scores, sample.groups, undefined=why) for side, scores, why in columns
            ]
        case _:
            return _bootstrapped(name, metric, values, resampled)


def _ratios(
    counted: tuple[Counted, Counted], sample: ClassifiedImages, reasons: list[str]
) -> list[Estimate]:
    """Returns the estimate of a ratio of two proportions of each class."""
    above, below = (side.masks(sample.truth, sample.decided) for side in counted)
    estimates = []
    for number, reason in enumerate(reasons):
        top, bottom = (
            Proportion.from_hits(hits[number][row[number]], sample.groups[row[number]])
            for hits, row in (above, below)
        )
        estimates.append(ratio(top, bottom, undefined=reason))
    return estimates


def _bootstrapped(
    name: str, metric: Metric, values: Floats, resampled: _Resampled
) -> list[Estimate]:
    """Returns the estimates of a metric that was resampled: one in all, or one a class."""
    sample = resampled.sample
    excess = metric.interval.excess if isinstance(metric.interval, Bootstrap) else None
    estimates = []
    columns = zip(
        values,
        resampled.draws[name].T,
        resampled.left_out[name].T,
        _reasons(metric, sample),
        strict=True,
    )
    for value, draws, left_out, reason in columns:
        ends = (0.025, 0.975) if excess else tails(value, draws, left_out)
        estimates.append(interval_estimate(value, draws, len(sample), reason, ends))
    if excess and estimates[0].low is not None:
        low = float(values[0]) - excess(sample, resampled.replicates, resampled.generator)
        estimates = [estimates[0]._replace(low=max(low, metric.bounds[0]))]
    if metric.scope == "overall":
        return estimates
    return [
        without_interval_if_scarce(estimate, positive, sample.groups)
        for estimate, positive in zip(estimates, sample.is_class.T, strict=True)
    ]


def _shared(value: float, other: Estimate) -> Estimate:
    """Returns a value with another's interval, stretched where it does not hold the value."""
    if other.value is None or other.low is None or other.high is None:
        return other._replace(value=None if other.value is None else value)
    return other._replace(value=value, low=min(other.low, value), high=max(other.high, value))


def _reasons(metric: Metric, sample: ClassifiedImages) -> list[str]:
    """Returns why the metric is undefined where it is: one sentence in all, or one a class."""
    if metric.scope == "overall":
        return [metric.undefined]
    return [metric.undefined.format(label=label) for label in sample.labels]
