"""Grad-CAM."""

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.cam import Cam, positions
from pulmo.explain.methods import METHODS


@METHODS.register("gradcam")
class GradCam(Cam):
    """Feature maps weighted by the mean of the logit's gradient (Selvaraju et al. 2017).

    Equation 1 gives the weight of a map, a_k = 1/(h w) sum_ij dy/dA_kij, and equation 2 the class
    activation map, ReLU(sum_k a_k A_k). Here that is times h w, so that its unit is that of
    HiResCAM; where the head pools, it is HiResCAM without the negative values. Where it does not,
    averaging the gradient may show places that the network did not use.
    """

    title = "Grad-CAM"
    unit = "logit"
    reading = "A value is what a place would add to the logit if the gradient were even."

    def combine(
        self, maps: NDArray[np.float32], gradients: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns h w ReLU(sum_k a_k A_k)."""
        weights = gradients.mean(axis=(2, 3))
        summed = np.einsum("nk,nkij->nij", weights, maps)
        return np.asarray(positions(maps) * np.maximum(summed, 0))
