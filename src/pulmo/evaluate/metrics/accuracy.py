"""Accuracy."""

import numpy as np

from pulmo.evaluate.metric import Counted, proportion
from pulmo.evaluate.sample import Sample


@proportion("accuracy", "overall", undefined="there are no pictures")
def accuracy(sample: Sample) -> Counted:
    """Share of the pictures whose decided class is the true one."""
    return Counted(sample.decided == sample.truth, np.ones(len(sample), np.bool_))
