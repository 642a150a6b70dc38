"""Precision."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import proportion


@proportion("precision", "class", undefined="no picture was decided to be {label}")
def precision(grid: Grid) -> Counted:
    """Share of the pictures decided to be of a class that are (positive predictive value here)."""
    return Counted(grid.is_class, grid.called_class)
