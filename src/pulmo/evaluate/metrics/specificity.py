"""Specificity."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import proportion


@proportion("specificity", "class", undefined="every picture is {label}")
def specificity(grid: Grid) -> Counted:
    """Share of the pictures not of a class that are decided not to be."""
    return Counted(~grid.called_class, ~grid.is_class)
