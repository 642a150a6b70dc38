"""Accuracy."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import proportion


@proportion("accuracy", "overall", undefined="there are no pictures")
def accuracy(grid: Grid) -> Counted:
    """Share of the pictures whose decided class is the true one."""
    return Counted(grid.right, grid.all)
