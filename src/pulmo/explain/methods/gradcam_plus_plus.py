"""Grad-CAM++."""

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.cam import Cam
from pulmo.explain.methods import METHODS


@METHODS.register("gradcam++")
class GradCamPlusPlus(Cam):
    """Feature maps weighted by the positive gradients, for several findings of one class.

    Of Chattopadhay et al. 2018: with g = dy/dA, equation 19 gives
    a_kij = g^2 / (2 g^2 + sum_ab A_kab g^3), equation 7 the weight w_k = sum_ij a_kij ReLU(g), and
    the map is ReLU(sum_k w_k A_k). The paper takes the exponential of the logit as the score, whose
    derivatives have one factor, exp(y), in common; it is left out, so a value has no unit.
    """

    title = "Grad-CAM++"
    unit = "arbitrary unit"
    reading = "A value compares places of one image and has no unit."

    def combine(
        self, maps: NDArray[np.float32], gradients: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns ReLU(sum_k w_k A_k)."""
        g, a = gradients.astype(np.float64), maps.astype(np.float64)
        below = 2 * g**2 + a.sum(axis=(2, 3), keepdims=True) * g**3
        shares = np.divide(g**2, below, out=np.zeros_like(g), where=below != 0)
        weights = (shares * np.maximum(g, 0)).sum(axis=(2, 3))
        return np.asarray(np.maximum(np.einsum("nk,nkij->nij", weights, a), 0), np.float32)
