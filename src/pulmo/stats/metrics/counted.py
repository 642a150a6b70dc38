"""Metrics of what was decided: they are counted in the confusion, and need no probabilities."""

import numpy as np

from pulmo.stats.cells import Counted, Grid
from pulmo.stats.metric import metric, proportion_metric, ratio_metric
from pulmo.stats.reweighted import Reweighted
from pulmo.stats.weights import Floats, divide


@proportion_metric("accuracy", "overall", undefined="there are no images")
def accuracy(grid: Grid) -> Counted:
    """Share of the images whose decided class is the true one."""
    return Counted(grid.right, grid.all)


@metric("balanced_accuracy", "overall")
def balanced_accuracy(weighted: Reweighted) -> Floats:
    """Mean recall of the classes that have images.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    recalls = divide(weighted.hits, weighted.true)[:, weighted.sample.present]
    return np.asarray(recalls.mean(axis=1))


@proportion_metric("recall", "class", undefined="no image is {label}")
def recall(grid: Grid) -> Counted:
    """Share of the images of a class that are decided to be (sensitivity)."""
    return Counted(grid.called_class, grid.is_class)


@proportion_metric("specificity", "class", undefined="every image is {label}")
def specificity(grid: Grid) -> Counted:
    """Share of the images not of a class that are decided not to be."""
    return Counted(~grid.called_class, ~grid.is_class)


@proportion_metric("precision", "class", undefined="no image is predicted as {label}")
def precision(grid: Grid) -> Counted:
    """Share of the images decided to be of a class that are (positive predictive value here)."""
    return Counted(grid.is_class, grid.called_class)


@proportion_metric(
    "negative_predictive_value", "class", undefined="every image is predicted as {label}"
)
def negative_predictive_value(grid: Grid) -> Counted:
    """Share of the images decided not to be of a class that are not, here."""
    return Counted(~grid.is_class, ~grid.called_class)


@metric("f1", "class", undefined="no image is {label}, and none is predicted as it")
def f1(weighted: Reweighted) -> Floats:
    """Harmonic mean of precision and recall (van Rijsbergen 1979)."""
    return divide(2 * weighted.hits, weighted.true + weighted.decided)


@ratio_metric(
    "positive_likelihood_ratio",
    undefined="it needs images of {label}, and others of which some are predicted as {label}",
    larger_is_better=True,
)
def positive_likelihood_ratio(grid: Grid) -> tuple[Counted, Counted]:
    """How many times as often a class is called where it is as where it is not."""
    return (
        Counted(grid.called_class, grid.is_class),
        Counted(grid.called_class, ~grid.is_class),
    )


@ratio_metric(
    "negative_likelihood_ratio",
    undefined="it needs images of {label}, and others of which some are not predicted as it",
    larger_is_better=False,
)
def negative_likelihood_ratio(grid: Grid) -> tuple[Counted, Counted]:
    """How many times as often a class is not called where it is as where it is not."""
    return (
        Counted(~grid.called_class, grid.is_class),
        Counted(~grid.called_class, ~grid.is_class),
    )


@metric(
    "kappa",
    "overall",
    bounds=(-1.0, 1.0),
    undefined="all images are of one class and are predicted as it",
)
def kappa(weighted: Reweighted) -> Floats:
    """Agreement of decided and true classes beyond that of chance (Cohen 1960)."""
    total = weighted.total
    chance = np.einsum("bk,bk->b", weighted.true, weighted.decided)
    return divide(total * weighted.hits.sum(axis=1) - chance, total**2 - chance)


@metric(
    "mcc",
    "overall",
    bounds=(-1.0, 1.0),
    undefined="all images are of one class, or are predicted as one",
)
def mcc(weighted: Reweighted) -> Floats:
    """Correlation of decided and true classes (Matthews 1975; Gorodkin 2004 for several)."""
    true, decided, total = weighted.true, weighted.decided, weighted.total
    shared = total * weighted.hits.sum(axis=1) - np.einsum("bk,bk->b", true, decided)
    spreads = (total**2 - np.square(side).sum(axis=1) for side in (true, decided))
    product = np.prod(list(spreads), axis=0)
    # Rounding could leave the spread of one class alone a little above or below nothing.
    product[product <= 1e-12 * total**4] = 0
    return divide(shared, np.sqrt(product))
