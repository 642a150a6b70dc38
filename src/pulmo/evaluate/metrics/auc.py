"""Area under the ROC curve."""

from pulmo.evaluate.metric import DeLong, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric("auc", "class", undefined="it needs pictures with and without {label}", interval=DeLong())
def auc(weighted: Reweighted) -> Floats:
    """Area under the ROC curve of a class's probability, against the rest."""
    return weighted.auc
