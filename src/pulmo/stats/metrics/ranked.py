"""Metrics of how the images are ranked by their probabilities, whatever a threshold may be."""

import numpy as np

from pulmo.stats.metric import Bootstrap, DeLong, MeanAuc, metric
from pulmo.stats.reweighted import Reweighted
from pulmo.stats.weights import Floats


@metric("auc", "class", undefined="it needs images with and without {label}", interval=DeLong())
def auc(weighted: Reweighted) -> Floats:
    """Area under the ROC curve of a class's probability, against the rest."""
    return weighted.auc


@metric(
    "macro_auc",
    "overall",
    undefined="it needs images of two or more classes",
    interval=MeanAuc(),
)
def macro_auc(weighted: Reweighted) -> Floats:
    """Mean AUC of the classes that have images, each against the rest.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    return np.asarray(weighted.auc[:, weighted.sample.present].mean(axis=1))


@metric(
    "pairwise_auc",
    "overall",
    undefined="it needs images of two or more classes",
    interval=MeanAuc(),
)
def pairwise_auc(weighted: Reweighted) -> Floats:
    """Mean AUC of each two classes that have images (M of Hand and Till 2001, equation 7).

    Unlike the macro AUC it does not change with the shares of the classes. A replicate that lacks
    one of them is undefined: its mean would be of something else.
    """
    present = np.flatnonzero(weighted.sample.present)
    first, second = (present[side] for side in np.triu_indices(len(present), 1))
    if not len(first):
        return np.full(len(weighted.weights), np.nan)
    return np.asarray(weighted.pair_auc[:, first, second].mean(axis=1))


@metric(
    "average_precision",
    "class",
    undefined="it needs images with and without {label}",
    interval=Bootstrap(scores=True),
)
def average_precision(weighted: Reweighted) -> Floats:
    """Area under the precision-recall curve of a class's probability, not interpolated."""
    return np.stack([one.average_precision for one in weighted.ranked], axis=1)
