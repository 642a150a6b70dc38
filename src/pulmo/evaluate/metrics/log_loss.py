"""Log loss."""

import numpy as np

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic, mean_of


@metric("log_loss", "overall", bounds=(0.0, float("inf")), larger_is_better=False)
def log_loss(sample: Sample) -> Statistic:
    """Mean negative natural logarithm of the true class's probability.

    A probability of 0 counts as 2.2e-16, the spacing of float64 at 1, so one sure mistake costs 36.
    """
    true = np.take_along_axis(sample.probabilities, sample.truth[:, None], axis=1)[:, 0]
    return mean_of(-np.log(np.maximum(true, np.finfo(np.float64).eps)))
