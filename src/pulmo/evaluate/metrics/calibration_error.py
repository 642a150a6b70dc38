"""Expected calibration error."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import BINS, Sample
from pulmo.evaluate.weighted import Statistic, divide


@metric(
    "calibration_error",
    "overall",
    larger_is_better=False,
    no_interval="chance moves it up only, so resampling does not bound its true value",
)
def calibration_error(sample: Sample) -> Statistic:
    """Mean distance between confidence and accuracy over ten equal bins (Guo et al. 2017).

    The confidence is the highest probability. A bin's accuracy is off by chance alone, so even a
    perfectly calibrated model has an error above 0, and a resample, off twice, has a larger one:
    bootstrap intervals of well-calibrated models lie above the true error nearly always.
    """
    surplus = sample.confidence - (sample.decided == sample.truth)
    by_bin = surplus[:, None] * np.eye(BINS)[sample.confidence_bin]

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return divide(np.abs(weights @ by_bin).sum(axis=1), weights.sum(axis=1))

    return statistic
