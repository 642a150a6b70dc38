"""Recall."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import proportion


@proportion("recall", "class", undefined="no picture is {label}")
def recall(grid: Grid) -> Counted:
    """Share of the pictures of a class that are decided to be (sensitivity)."""
    return Counted(grid.called_class, grid.is_class)
