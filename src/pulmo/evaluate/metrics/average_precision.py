"""Average precision."""

import numpy as np

from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric(
    "average_precision",
    "class",
    undefined="it needs pictures with and without {label}",
    interval=Bootstrap(scores=True),
)
def average_precision(weighted: Reweighted) -> Floats:
    """Area under the precision-recall curve of a class's probability, not interpolated."""
    return np.stack([one.average_precision for one in weighted.ranked], axis=1)
