"""Negative predictive value."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import proportion


@proportion("negative_predictive_value", "class", undefined="every picture was called {label}")
def negative_predictive_value(grid: Grid) -> Counted:
    """Share of the pictures decided not to be of a class that are not, here."""
    return Counted(~grid.is_class, ~grid.called_class)
