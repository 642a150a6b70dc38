"""Area under the ROC curve."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic


@metric("auc", "class", undefined="it needs pictures with and without {label}")
def auc(sample: Sample) -> Statistic:
    """Area under the ROC curve of a class's probability, against the rest."""
    rankings = sample.rankings

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.stack([ranking.auc(weights) for ranking in rankings], axis=1)

    return statistic
