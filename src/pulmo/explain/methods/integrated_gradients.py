"""Integrated gradients."""

from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.sections import Count, Number
from pulmo.explain.cam import trained_network
from pulmo.explain.methods import METHODS, Maps, Method, Pixels, Report


@METHODS.register("integrated-gradients")
class IntegratedGradients(Method):
    """The logit's gradient along the way from an even image (Sundararajan et al. 2017, eq. 1).

    A pixel's value is (x - x') times the mean gradient between x', an even image, and x. The values
    sum to the logit of the image less that of the even image, so a pixel whose grey value is the
    even one's has none. Captum computes it, by Gauss-Legendre quadrature.
    """

    baseline: Annotated[Number, Field(ge=0, le=1)] = 0.0
    """The grey value of the even image; 0 is black."""
    steps: Count = 50
    """Gradients along the way."""

    title = "Integrated gradients"
    unit = "logit per pixel"
    reading = "The values sum to the logit less that of an even image."

    @classmethod
    def quick(cls) -> Self:
        """Returns 8 steps."""
        return cls(steps=8)

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
        """Returns the maps; the steps of an image are the batches."""
        from pulmo.explain.trained.pixels import (
            integrated_gradients,
        )

        trained, found = trained_network(model), []
        for number, (image, label) in enumerate(zip(images, classes, strict=True), 1):
            found.append(
                integrated_gradients(trained, image, int(label), self.baseline, self.steps)
            )
            on_progress(number * self.steps, len(images) * self.steps)
        return Maps(np.stack(found))
