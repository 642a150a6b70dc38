"""Brier score."""

import numpy as np

from pulmo.evaluate.metric import metric
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.weighted import Statistic, mean_of


@metric("brier", "overall", bounds=(0.0, 2.0), larger_is_better=False)
def brier(sample: Sample) -> Statistic:
    """Mean squared distance between probabilities and truth, summed over classes (Brier 1950)."""
    return mean_of(np.square(sample.probabilities - sample.is_class).sum(axis=1))
