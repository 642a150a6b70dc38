"""Eigen-CAM."""

import numpy as np
from numpy.typing import NDArray

from pulmo.explain.cam import Cam
from pulmo.explain.methods import METHODS


@METHODS.register("eigencam")
class EigenCam(Cam):
    """The strongest pattern of the feature maps, of no class (Muhammad and Yeasin 2020).

    The feature maps are a table A, a row a position and a column a channel; A = U S V'. The map is
    A v_1, the projection on the first right singular vector. A singular vector has no sign; it is
    turned so that the sum of the map is not negative.
    """

    title = "Eigen-CAM"
    unit = "arbitrary unit"
    reading = "It is the strongest pattern of the features; it belongs to no class."
    of_class = False

    def combine(
        self,
        maps: NDArray[np.float32],
        gradients: NDArray[np.float32],  # noqa: ARG002 - it reads none
    ) -> NDArray[np.float32]:
        """Returns A v_1."""
        table = maps.reshape(*maps.shape[:2], -1).transpose(0, 2, 1).astype(np.float64)
        left, sizes, _ = np.linalg.svd(table, full_matrices=False)
        projected = left[..., 0] * sizes[:, :1]
        signs = np.where(projected.sum(axis=1, keepdims=True) < 0, -1, 1)
        shape = (len(maps), *maps.shape[2:])
        return np.asarray((signs * projected).reshape(shape), np.float32)
