"""Specificity."""

from pulmo.evaluate.metric import Counted, proportion
from pulmo.evaluate.sample import Sample


@proportion("specificity", "class", undefined="every picture is {label}")
def specificity(sample: Sample) -> Counted:
    """Share of the pictures not of a class that are decided not to be."""
    return Counted(~sample.called_class, ~sample.is_class)
