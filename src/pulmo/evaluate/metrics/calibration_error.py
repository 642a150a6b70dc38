"""Expected calibration error."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.bootstrap import chunk_sizes
from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.sample import BINS, Sample
from pulmo.evaluate.weighted import Floats, divide


def chance_excess(sample: Sample, replicates: int, generator: np.random.Generator) -> float:
    """Returns the 97.5th percentile of the error that chance alone adds.

    It is the larger of two. One is for a perfectly calibrated model with these confidences
    (consistency resampling: Broecker and Smith 2007); the pictures of a group are hit or missed
    together, as copies are, which is on the wide side for others. The second is for the sampling of
    groups, which moves the bins' gaps with the covariance seen here: it is larger where a model is
    overconfident, as its misses vary more, and says nothing where all pictures are hits.

    Args:
        sample: pictures of two groups or more.
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
    pictures or 30 to 60 groups of up to ten, confidences from 0.05 too low to 0.2 too high, and in
    96 % or more where the model was perfectly calibrated.
    """
    _, hits, confidence = weighted.bins
    return divide(np.abs(confidence - hits).sum(axis=1), weighted.total)


def _surplus(sample: Sample) -> NDArray[np.float64]:
    """Returns confidence minus hit in the column of each picture's bin, [n, bins]."""
    surplus = sample.confidence - (sample.decided == sample.truth)
    return np.asarray(surplus[:, None] * _in_bin(sample))


def _in_bin(sample: Sample) -> NDArray[np.float64]:
    """Returns 1 in the column of each picture's bin and 0 elsewhere, [n, bins]."""
    return np.eye(BINS)[sample.confidence_bin]


def _calibrated_errors(
    sample: Sample, replicates: int, generator: np.random.Generator
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


def _gap_covariance(sample: Sample) -> NDArray[np.float64]:
    """Returns the covariance between samples of groups of the bins' gaps, linearised, [bins, bins].

    A bin's gap is the sum of its surplus over the number of all pictures.
    """
    surplus = _surplus(sample)
    residuals = surplus - surplus.mean(axis=0)
    totals = np.stack([np.bincount(sample.groups, weights=column) for column in residuals.T])
    groups = totals.shape[1]
    return np.asarray(totals @ totals.T * groups / (groups - 1) / len(sample) ** 2)
