"""Recall."""

from pulmo.evaluate.metric import Counted, proportion
from pulmo.evaluate.sample import Sample


@proportion("recall", "class", undefined="no picture is {label}")
def recall(sample: Sample) -> Counted:
    """Share of the pictures of a class that are decided to be (sensitivity)."""
    return Counted(sample.called_class, sample.is_class)
