"""Positive likelihood ratio."""

from pulmo.evaluate.cells import Counted, Grid
from pulmo.evaluate.metric import ratio


@ratio(
    "positive_likelihood_ratio",
    undefined="it needs pictures of {label}, and others of which some are called {label}",
    larger_is_better=True,
)
def positive_likelihood_ratio(grid: Grid) -> tuple[Counted, Counted]:
    """How many times as often a class is called where it is as where it is not."""
    return (
        Counted(grid.called_class, grid.is_class),
        Counted(grid.called_class, ~grid.is_class),
    )
