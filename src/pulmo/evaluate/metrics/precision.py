"""Precision."""

from pulmo.evaluate.metric import Counted, proportion
from pulmo.evaluate.sample import Sample


@proportion("precision", "class", undefined="no picture was decided to be {label}")
def precision(sample: Sample) -> Counted:
    """Share of the pictures decided to be of a class that are (positive predictive value)."""
    return Counted(sample.is_class, sample.called_class)
