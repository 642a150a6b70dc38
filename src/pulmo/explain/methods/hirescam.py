"""HiResCAM, which a bundle's graph computes."""

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.explain.asking import batches
from pulmo.explain.cam import Cam, positions
from pulmo.explain.methods import GRAPH, METHODS, Maps, Pixels, Report


@METHODS.register(GRAPH)
class HiResCam(Cam):
    """Feature maps times the logit's gradient (Draelos and Carin 2020).

    The map is h w sum_k (dy/dA_k) A_k, position by position, for h w positions, so that its mean is
    what the features add to the logit y, to first order; for a linear head that is exact but for
    the bias. At the network's last maps it has a closed form, which is in the graph of every bundle
    (`pulmo.models.head`); at another layer the gradient is computed.
    """

    title = "HiResCAM"
    unit = "logit"
    reading = "The mean of the map is what the features add to the logit of the class."

    @property
    def needs_run(self) -> bool:
        """Only where a layer is named."""
        return self.layer is not None

    @property
    def in_graph(self) -> bool:
        """Where no layer is named."""
        return self.layer is None

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps of the graph, or those of the named layer."""
        if self.layer is not None:
            return super().find(model, images, classes, on_progress)
        found = []
        for numbers in batches(len(images)):
            maps = model.run(images[numbers]).activation
            found.append(maps[np.arange(len(numbers)), classes[numbers]])
            on_progress(int(numbers[-1]) + 1, len(images))
        return Maps(np.concatenate(found))

    def combine(
        self, maps: NDArray[np.float32], gradients: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns h w sum_k (dy/dA_k) A_k."""
        return np.asarray(positions(maps) * (gradients * maps).sum(axis=1))
