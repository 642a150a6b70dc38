"""Average precision."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic


@metric("average_precision", "class", undefined="it needs pictures with and without {label}")
def average_precision(sample: Sample) -> Statistic:
    """Area under the precision-recall curve of a class's probability, not interpolated."""
    rankings = sample.rankings

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([ranking.average_precision(weights) for ranking in rankings], axis=1)

    return statistic
