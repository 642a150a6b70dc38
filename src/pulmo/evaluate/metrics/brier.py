"""Brier score."""

from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric(
    "brier", "overall", bounds=(0.0, 2.0), larger_is_better=False, interval=Bootstrap(scores=True)
)
def brier(weighted: Reweighted) -> Floats:
    """Mean squared distance of probabilities from the truth, of two classes that of either.

    Over three classes or more it is summed (Brier 1950); scikit-learn counts so too.
    """
    return weighted.squared_error / (2 if len(weighted.sample.labels) == 2 else 1)
