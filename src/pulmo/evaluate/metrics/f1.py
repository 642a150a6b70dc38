"""F1."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic, divide


@metric("f1", "class", undefined="no picture is {label} and none was decided to be")
def f1(sample: Sample) -> Statistic:
    """Harmonic mean of precision and recall (van Rijsbergen 1979)."""
    hits = (sample.is_class & sample.called_class).astype(np.float64)
    either = sample.is_class.astype(np.float64) + sample.called_class

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return divide(2 * (weights @ hits), weights @ either)

    return statistic
