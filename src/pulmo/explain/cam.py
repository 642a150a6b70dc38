"""Class activation maps: sums of a layer's feature maps, by weights that each method makes."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.explain.methods import Maps, Method, Pixels, Report

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork


class LayerMethod(Method):
    """A method that reads the feature maps of a layer."""

    layer: str | None = None
    """The layer whose maps it reads; if none is named, the last one with more than one position."""

    @property
    def needs_run(self) -> bool:
        """It does: a bundle gives no feature maps."""
        return True

    def check(self, model: ImagePredictor) -> None:
        """Checks also that the network has the layer."""
        super().check(model)
        if self.needs_run:
            trained_network(model).layer(self.layer)


class Cam(LayerMethod):
    """A method that reads a layer's feature maps and the logit's gradient by them."""

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps of all images, a batch at a time."""
        from pulmo.explain.layers import activations

        trained, found = trained_network(model), []
        layer = trained.layer(self.layer)
        for start in range(0, len(images), trained.batch):
            part = slice(start, start + trained.batch)
            read = activations(trained, layer, images[part], classes[part])
            found.append(self.combine(read.maps, read.gradients))
            on_progress(min(start + trained.batch, len(images)), len(images))
        return Maps(np.concatenate(found), layer)

    @abstractmethod
    def combine(
        self, maps: NDArray[np.float32], gradients: NDArray[np.float32]
    ) -> NDArray[np.float32]:
        """Returns the class activation maps [n, rows, columns].

        Args:
            maps: the feature maps A, [n, channels, rows, columns].
            gradients: the derivative of the class's logit by them, of the same shape.
        """


def trained_network(model: ImagePredictor) -> "TrainedNetwork":
    """Returns a model as the network of a run.

    Raises:
        TypeError: it is none; `Method.check` refuses it before.
    """
    from pulmo.explain.trained.network import TrainedNetwork

    if not isinstance(model, TrainedNetwork):
        raise TypeError(f"{model!r} is not the network of a run.")
    return model


def positions(maps: NDArray[np.float32]) -> int:
    """Returns how many positions each map has.

    Times this, a map's mean over the image is what its positions add to the logit, as it is in a
    bundle's graph.
    """
    return int(maps.shape[2] * maps.shape[3])
