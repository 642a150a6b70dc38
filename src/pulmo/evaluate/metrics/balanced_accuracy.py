"""Balanced accuracy."""

import numpy as np

from pulmo.evaluate.metric import metric
from pulmo.evaluate.reweighted import Reweighted
from pulmo.evaluate.weighted import Floats, divide


@metric("balanced_accuracy", "overall")
def balanced_accuracy(weighted: Reweighted) -> Floats:
    """Mean recall of the classes that have pictures.

    A replicate that lacks one of them is undefined: its mean would be of something else.
    """
    recalls = divide(weighted.hits, weighted.true)[:, weighted.sample.present]
    return np.asarray(recalls.mean(axis=1))
