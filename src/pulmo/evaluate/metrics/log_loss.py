"""Log loss."""

from pulmo.evaluate.metric import Bootstrap, metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats


@metric(
    "log_loss",
    "overall",
    bounds=(0.0, float("inf")),
    larger_is_better=False,
    interval=Bootstrap(scores=True),
)
def log_loss(weighted: Reweighted) -> Floats:
    """Mean negative natural logarithm of the true class's probability.

    A probability of 0 counts as 2.2e-16, the spacing of float64 at 1, so one sure mistake costs 36.
    """
    return weighted.log_loss
