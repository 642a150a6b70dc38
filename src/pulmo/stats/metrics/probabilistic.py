"""Metrics of the probabilities themselves: how far they are from the truth, and calibrated."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf

from pulmo.stats.classified import BINS, ClassifiedImages
from pulmo.stats.clusters import cluster_covariance
from pulmo.stats.metric import Bootstrap, SharedWith, metric
from pulmo.stats.reweighted import Reweighted
from pulmo.stats.weights import Floats, chunk_sizes, divide


@metric(
    "brier", "overall", bounds=(0.0, 2.0), larger_is_better=False, interval=Bootstrap(scores=True)
)
def brier(weighted: Reweighted) -> Floats:
    """Mean squared distance of probabilities from the truth, of two classes that of either.

    Over three classes or more it is summed (Brier 1950); scikit-learn counts so too.
    """
    return weighted.squared_error / (2 if len(weighted.sample.labels) == 2 else 1)


@metric(
    "log_loss",
    "overall",
    bounds=(0.0, float("inf")),
    larger_is_better=False,
    interval=Bootstrap(scores=True),
)
def log_loss(weighted: Reweighted) -> Floats:
    """Mean negative natural logarithm of the true class's probability.

    A probability of 0 counts as 2.2e-16, the spacing of float64 at 1, so one sure mistake costs 36.
    """
    return weighted.log_loss


def chance_excess(
    sample: ClassifiedImages, replicates: int, generator: np.random.Generator
) -> float:
    """Returns the 97.5th percentile of the error that chance alone adds.

    It is the larger of two. One is for a perfectly calibrated model with these confidences
    (consistency resampling: Broecker and Smith 2007); the images of a group are hit or missed
    together, as copies are, which is on the wide side for others. The second is for the sampling of
    groups, which moves the bins' gaps with the covariance seen here: it is larger where a model is
    overconfident, as its misses vary more, and says nothing where all images are hits.

    Args:
        sample: images of two groups or more.
        replicates: number of draws of either kind.
        generator: source of their randomness.
    """
    calibrated = _calibrated_errors(sample, replicates, generator)
    sampled = generator.multivariate_normal(
        np.zeros(BINS), _gap_covariance(sample), replicates, method="eigh"
    )
    errors = calibrated, np.abs(sampled).sum(axis=1)
    return max(float(np.percentile(draws, 97.5)) for draws in errors)


@metric(
    "calibration_error",
    "overall",
    larger_is_better=False,
    interval=Bootstrap(chance_excess, scores=True),
)
def calibration_error(weighted: Reweighted) -> Floats:
    """Mean distance between confidence and accuracy over ten equal bins (Guo et al. 2017).

    The confidence is the highest probability. A bin's accuracy is off by chance alone, so even a
    perfectly calibrated model has an error above 0; the lower end of the interval takes that off.
    In simulations the interval held the true error in about 94 % of samples or more: 60 to 2000
    images or 30 to 60 groups of up to ten, confidences from 0.05 too low to 0.2 too high, and in
    96 % or more where the model was perfectly calibrated.
    """
    _, hits, confidence = weighted.bins
    return divide(np.abs(confidence - hits).sum(axis=1), weighted.total)


@metric(
    "debiased_calibration_error",
    "overall",
    larger_is_better=False,
    interval=SharedWith("calibration_error"),
)
def debiased_calibration_error(weighted: Reweighted) -> Floats:
    """Calibration error less what the chance in each bin's accuracy adds (Kumar et al. 2019).

    Of a bin with n images, accuracy a and gap d, chance turns |d| into the mean of a folded
    normal with the variance a (1 - a) / n; the difference is taken off, which is the limit of
    Kumar's resampling. Images count as independent: where they cluster, too little is taken
    off. It is not below 0. Its interval is that of the calibration error, which estimates the same.
    """
    n, hits, confidence = weighted.bins
    share = np.nan_to_num(divide(hits, n))
    gap = np.abs(np.nan_to_num(divide(confidence - hits, n)))
    error = np.sqrt(np.nan_to_num(divide(share * (1 - share), n)))
    ratio = np.divide(gap, error, out=np.full(gap.shape, np.inf), where=error > 0)
    folded = error * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + gap * erf(ratio / np.sqrt(2))
    unbiased = (n * (2 * gap - folded)).sum(axis=1)
    return np.maximum(divide(unbiased, weighted.total), 0.0)


def _in_bin(sample: ClassifiedImages) -> NDArray[np.float64]:
    """Returns 1 in the column of each image's bin and 0 elsewhere, [n, bins]."""
    return np.eye(BINS)[sample.confidence_bin]


def _calibrated_errors(
    sample: ClassifiedImages, replicates: int, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Returns errors of a perfectly calibrated model with the sample's confidences, [b]."""
    n, in_bin = len(sample), _in_bin(sample)
    groups = int(sample.groups.max()) + 1
    expected = sample.confidence @ in_bin
    errors = []
    for rows in chunk_sizes(n, replicates):
        luck = np.take(generator.random((rows, groups)), sample.groups, axis=1)
        hits = (luck < sample.confidence).astype(np.float64)
        errors.append(np.abs(hits @ in_bin - expected).sum(axis=1) / n)
    return np.concatenate(errors)


def _gap_covariance(sample: ClassifiedImages) -> NDArray[np.float64]:
    """Returns the covariance between samples of groups of the bins' gaps, [bins, bins].

    A bin's gap is the sum of confidence minus hit over its images, over the number of all images.
    """
    surplus = (sample.confidence - (sample.decided == sample.truth))[:, None] * _in_bin(sample)
    return cluster_covariance((surplus - surplus.mean(axis=0)) / len(sample), sample.groups)
