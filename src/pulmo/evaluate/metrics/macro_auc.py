"""Macro-averaged area under the ROC curve."""

import numpy as np

from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric(
    "macro_auc",
    "overall",
    undefined="it needs pictures of two or more classes",
    interval=Bootstrap(scores=True),
)
def macro_auc(weighted: Reweighted) -> Floats:
    """Mean AUC of the classes that have pictures, each against the rest.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    return np.asarray(weighted.auc[:, weighted.sample.present].mean(axis=1))
