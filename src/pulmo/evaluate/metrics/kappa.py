"""Cohen's kappa."""

import numpy as np

from pulmo.evaluate.metric import metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats, divide


@metric(
    "kappa", "overall", bounds=(-1.0, 1.0), undefined="all pictures are of one class and called so"
)
def kappa(weighted: Reweighted) -> Floats:
    """Agreement of decided and true classes beyond that of chance (Cohen 1960)."""
    total = weighted.total
    chance = np.einsum("bk,bk->b", weighted.true, weighted.decided)
    return divide(total * weighted.hits.sum(axis=1) - chance, total**2 - chance)
