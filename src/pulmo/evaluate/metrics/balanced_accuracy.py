"""Balanced accuracy."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.metrics.recall import recall
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic


@metric("balanced_accuracy", "overall")
def balanced_accuracy(sample: Sample) -> Statistic:
    """Mean recall of the classes that have pictures.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    recalls, present = recall(sample), sample.present

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(recalls(weights)[:, present].mean(axis=1))

    return statistic
