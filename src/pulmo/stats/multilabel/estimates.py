"""Metrics over all findings of an image together, each with its interval."""

from collections.abc import Callable
from functools import partial
from typing import Final, NamedTuple

import numpy as np

from pulmo import stats
from pulmo.stats.estimate import Estimate
from pulmo.stats.multilabel.labelled import LabelledImages, ReweightedLabels, area_under
from pulmo.stats.resampling import bootstrap, interval_estimate, jackknife, tails
from pulmo.stats.weights import Floats, Weights, divide

Compute = Callable[[ReweightedLabels], Floats]
"""Gives [b] values, NaN where undefined."""


class LabelsMetric(NamedTuple):
    """A metric over all findings.

    Attributes:
        summary: what it is, in one line.
        compute: gives it for each reweighting.
        undefined: why it has no value where it has none; `{uncalled}` stands for the findings that
            were never called.
        whole: whether it is of the images alone that are labelled for every finding.
    """

    summary: str
    compute: Compute
    undefined: str
    whole: bool = False


SUBSET_ACCURACY: Final = "subset_accuracy"

_NO_WHOLE = "no image is labelled for every finding"
_ONE_SIDED = "no finding has both images with it and images without it"


def _hamming_loss(weighted: ReweightedLabels) -> Floats:
    wrong = weighted.calls + weighted.there - 2 * weighted.hits
    return divide(wrong.sum(axis=1), weighted.cells)


def _pooled(above: Floats, *below: Floats) -> Floats:
    """Returns the ratio of counts [b, L] after summing over the findings."""
    return divide(above.sum(axis=1), np.sum(below, axis=0).sum(axis=1))


def _averaged(weighted: ReweightedLabels, above: Floats, *below: Floats) -> Floats:
    """Returns the mean over the two-sided findings of the ratio of counts [b, L]."""
    ratios = divide(above, np.sum(below, axis=0))
    return weighted.mean_over_labels(ratios[:, weighted.sample.two_sided].T)


def _ranking_precision(weighted: ReweightedLabels) -> Floats:
    return weighted.mean(weighted.sample.ranking_precision, weighted.sample.whole)


LABELS_METRICS: Final = {
    SUBSET_ACCURACY: LabelsMetric(
        "Share of the images with a correct decision on every finding.",
        lambda one: one.mean(one.sample.right.astype(np.float64), one.sample.whole),
        _NO_WHOLE,
        whole=True,
    ),
    "hamming_loss": LabelsMetric(
        "Share of all labels for which the decision is wrong. Smaller is better.",
        _hamming_loss,
        "there are no labels",
    ),
    "micro_precision": LabelsMetric(
        "Share of all calls, of whatever finding, that are right.",
        lambda one: _pooled(one.hits, one.calls),
        "no finding is predicted",
    ),
    "micro_recall": LabelsMetric(
        "Share of all findings, whichever, that were called.",
        lambda one: _pooled(one.hits, one.there),
        "no finding is there",
    ),
    "micro_f1": LabelsMetric(
        "Harmonic mean of micro precision and micro recall.",
        lambda one: _pooled(2 * one.hits, one.calls, one.there),
        "no finding is present, and none is predicted",
    ),
    "macro_precision": LabelsMetric(
        "Mean of the findings' precisions; a finding counts as much as any other.",
        lambda one: _averaged(one, one.hits, one.calls),
        "{uncalled}",
    ),
    "macro_recall": LabelsMetric(
        "Mean of the findings' recalls (sensitivities).",
        lambda one: _averaged(one, one.hits, one.there),
        _ONE_SIDED,
    ),
    "macro_f1": LabelsMetric(
        "Mean of the findings' F1.",
        lambda one: _averaged(one, 2 * one.hits, one.calls, one.there),
        _ONE_SIDED,
    ),
    "micro_auc": LabelsMetric(
        "AUC of all labels of all images in one ranking: probabilities of different findings are "
        "compared with each other.",
        lambda one: one.pooled_auc,
        "it needs findings that are there and some that are not",
    ),
    "macro_auc": LabelsMetric(
        "Mean of the findings' AUCs.",
        lambda one: one.mean_over_labels(area_under(ranked) for ranked in one.ranked),
        _ONE_SIDED,
    ),
    "macro_average_precision": LabelsMetric(
        "Mean of the findings' average precisions; each depends on how common its finding is.",
        lambda one: one.mean_over_labels(ranked.average_precision for ranked in one.ranked),
        _ONE_SIDED,
    ),
    "label_ranking_average_precision": LabelsMetric(
        "Of each image, how far up its own findings are among all, by probability.",
        _ranking_precision,
        _NO_WHOLE,
        whole=True,
    ),
}
"""Name -> metric. The macro metrics are of the two-sided findings: those that some images have and
others have not."""


def compute(sample: LabelledImages, weights: Weights) -> dict[str, Floats]:
    """Returns metric -> values [b] under each row of weights [b, n]."""
    weighted = ReweightedLabels(sample, weights)
    return {name: metric.compute(weighted) for name, metric in LABELS_METRICS.items()}


def estimate_label_metrics(
    sample: LabelledImages, replicates: int, generator: np.random.Generator
) -> dict[str, Estimate]:
    """Computes every metric over all findings.

    The subset accuracy has Wilson's interval, the others a BCa bootstrap interval over groups, all
    on the same resamples of images.

    Args:
        sample: the images.
        replicates: number of bootstrap resamples.
        generator: source of their randomness.
    """
    statistics = partial(compute, sample)
    values = statistics(np.ones((1, len(sample)), np.uint8))
    draws = bootstrap(statistics, sample.groups, replicates, generator)
    left_out = jackknife(statistics, sample.groups)
    found = {}
    for name, metric in LABELS_METRICS.items():
        reason = metric.undefined.format(uncalled=_uncalled(sample))
        if name == SUBSET_ACCURACY:
            right, groups = sample.right[sample.whole], sample.groups[sample.whole]
            found[name] = stats.proportion(right, groups, undefined=reason)
            continue
        value = float(values[name][0])
        ends = tails(value, draws[name], left_out[name])
        n = int(sample.whole.sum()) if metric.whole else len(sample)
        found[name] = interval_estimate(value, draws[name], n, reason, ends)
    return found


def _uncalled(sample: LabelledImages) -> str:
    """Returns why there is no mean precision."""
    never = sample.two_sided & ~(sample.called & sample.known).any(axis=0)
    names = [label for label, so in zip(sample.labels, never, strict=True) if so]
    return f"no image is predicted to have {' or '.join(names)}" if names else _ONE_SIDED
