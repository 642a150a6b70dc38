"""Brier score."""

from pulmo.evaluate.metric import metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric("brier", "overall", bounds=(0.0, 2.0), larger_is_better=False)
def brier(weighted: Reweighted) -> Floats:
    """Mean squared distance between probabilities and truth, summed over classes (Brier 1950)."""
    return weighted.squared_error
