"""SmoothGrad."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.sections import Count, Positive, Whole
from pulmo.explain.cam import trained_network
from pulmo.explain.methods import METHODS, Maps, Method, Pixels, Report


@METHODS.register("smoothgrad")
class SmoothGrad(Method):
    """The mean of the logit's gradient by each pixel over noisy copies (Smilkov et al. 2017).

    The noise is normal, and its deviation a share of the image's range. The map is the absolute
    value of the mean: a pixel matters whether it ought to be brighter or darker. Captum computes
    it.
    """

    noise: Positive = 0.15
    """Deviation of the noise, as a share of the range of the image's grey values."""
    samples: Count = 50
    """Noisy copies of each image."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Of the noise, which is the same for every image."""

    title = "SmoothGrad"
    unit = "logit per grey value"
    reading = "A value is how much the logit changes if a pixel goes from black to white."

    @classmethod
    def quick(cls) -> Self:
        """Returns 8 copies."""
        return cls(samples=8)

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
        """Returns the maps; the copies of an image are the batches."""
        from pulmo.explain.trained.pixels import (
            Noise,
            smooth_gradient,
        )

        trained, found = trained_network(model), []
        for number, (image, label) in enumerate(zip(images, classes, strict=True), 1):
            noise = Noise(self.noise, self.samples, self.seed)
            found.append(np.abs(smooth_gradient(trained, image, int(label), noise)))
            on_progress(number * self.samples, len(images) * self.samples)
        return Maps(np.stack(found))
