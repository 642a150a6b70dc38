"""Gradients: what the methods share that give each pixel a value by the logit's gradient."""

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.explain.cam import trained_network
from pulmo.explain.methods import Maps, Method, Pixels, Report

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork


class PixelMethod(Method):
    """A method that gives each pixel of the network's input a value, one image after the other."""

    @property
    def needs_run(self) -> bool:
        """It does: a bundle gives no gradient."""
        return True

    def grain(self, rows: int, columns: int) -> str:
        """Says that each pixel has a value."""
        return f"Each of the {rows} x {columns} pixels of the network's input has a value."

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps; the passes of an image are the batches."""
        trained, found = trained_network(model), []
        for number, (image, label) in enumerate(zip(images, classes, strict=True), 1):
            found.append(self.of_image(trained, image, int(label)))
            on_progress(number * self.passes, len(images) * self.passes)
        return Maps(np.stack(found))

    @property
    @abstractmethod
    def passes(self) -> int:
        """How often the network is given an image, or a change of it."""

    @abstractmethod
    def of_image(self, trained: "TrainedNetwork", image: Pixels, label: int) -> NDArray[np.float32]:
        """Returns the map of one image, [size, size].

        Args:
            trained: the network.
            image: uint8 [size, size].
            label: number of the class.
        """
