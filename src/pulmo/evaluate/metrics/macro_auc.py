"""Macro-averaged area under the ROC curve."""

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.metric import metric
from pulmo.evaluate.metrics.auc import auc
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic


@metric("macro_auc", "overall", undefined="it needs pictures of two or more classes")
def macro_auc(sample: Sample) -> Statistic:
    """Mean AUC of the classes that have pictures, each against the rest.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    areas, present = auc(sample), sample.present

    def statistic(weights: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(areas(weights)[:, present].mean(axis=1))

    return statistic
