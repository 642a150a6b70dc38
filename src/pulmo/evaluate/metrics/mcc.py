"""Matthews' correlation coefficient."""

import numpy as np

from pulmo.evaluate.metric import metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats, divide


@metric(
    "mcc",
    "overall",
    bounds=(-1.0, 1.0),
    undefined="all pictures are of one class, or all are called one",
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
