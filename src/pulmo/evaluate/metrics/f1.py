"""F1."""

from pulmo.evaluate.metric import metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats, divide


@metric("f1", "class", undefined="no picture is {label} and none was decided to be")
def f1(weighted: Reweighted) -> Floats:
    """Harmonic mean of precision and recall (van Rijsbergen 1979)."""
    return divide(2 * weighted.hits, weighted.true + weighted.decided)
