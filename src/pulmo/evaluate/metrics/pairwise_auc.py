"""AUC of each two classes, averaged."""

import numpy as np

from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric(
    "pairwise_auc",
    "overall",
    undefined="it needs pictures of two or more classes",
    interval=Bootstrap(scores=True),
)
def pairwise_auc(weighted: Reweighted) -> Floats:
    """Mean AUC of each two classes that have pictures (M of Hand and Till 2001, equation 7).

    Unlike the macro AUC it does not change with the shares of the classes. A replicate that lacks
    one of them is undefined: its mean would be of something else.
    """
    present = np.flatnonzero(weighted.sample.present)
    first, second = (present[side] for side in np.triu_indices(len(present), 1))
    if not len(first):
        return np.full(len(weighted.weights), np.nan)
    return np.asarray(weighted.pair_auc[:, first, second].mean(axis=1))
