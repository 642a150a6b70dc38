"""LayerCAM."""

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.cam import Cam, positions
from pulmo.explain.methods import METHODS


@METHODS.register("layercam")
class LayerCam(Cam):
    """Feature maps weighted by their own positive gradient (Jiang et al. 2021).

    The map is ReLU(sum_k ReLU(dy/dA_k) A_k), position by position, here times the number of
    positions, as in HiResCAM. It is meant for layers before the last, whose maps are finer.
    """

    title = "LayerCAM"
    unit = "logit"
    reading = "A value is what a place adds to the logit by the features that raise it."

    def combine(
        self, maps: NDArray[np.float32], gradients: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns h w ReLU(sum_k ReLU(dy/dA_k) A_k)."""
        raised = np.maximum((np.maximum(gradients, 0) * maps).sum(axis=1), 0)
        return np.asarray(positions(maps) * raised)
