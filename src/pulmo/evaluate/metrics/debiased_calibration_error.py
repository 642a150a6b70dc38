"""Calibration error without the part that chance adds."""

import numpy as np
from scipy.special import erf

from pulmo.evaluate.metric import SharedWith, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats, divide


@metric(
    "debiased_calibration_error",
    "overall",
    larger_is_better=False,
    interval=SharedWith("calibration_error"),
)
def debiased_calibration_error(weighted: Reweighted) -> Floats:
    """Calibration error less what the chance in each bin's accuracy adds (Kumar et al. 2019).

    Of a bin with n pictures, accuracy a and gap d, chance turns |d| into the mean of a folded
    normal with the variance a (1 - a) / n; the difference is taken off, which is the limit of
    Kumar's resampling. Pictures count as independent: where they cluster, too little is taken
    off. It is not below 0. Its interval is that of
    the calibration error, which estimates the same.
    """
    n, hits, confidence = weighted.bins
    share = np.nan_to_num(divide(hits, n))
    gap = np.abs(np.nan_to_num(divide(confidence - hits, n)))
    error = np.sqrt(np.nan_to_num(divide(share * (1 - share), n)))
    ratio = np.divide(gap, error, out=np.full(gap.shape, np.inf), where=error > 0)
    folded = error * np.sqrt(2 / np.pi) * np.exp(-(ratio**2) / 2) + gap * erf(ratio / np.sqrt(2))
    unbiased = (n * (2 * gap - folded)).sum(axis=1)
    return np.maximum(divide(unbiased, weighted.total), 0.0)
