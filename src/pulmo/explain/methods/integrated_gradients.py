"""Integrated gradients."""

from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.core.sections import Count, Number
from pulmo.explain.gradients import PixelMethod
from pulmo.explain.methods import METHODS, Pixels

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork


@METHODS.register("integrated-gradients")
class IntegratedGradients(PixelMethod):
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
    def passes(self) -> int:
        """The gradients along the way."""
        return self.steps

    def of_image(self, trained: "TrainedNetwork", image: Pixels, label: int) -> NDArray[np.float32]:
        """Returns the map of one image."""
        from pulmo.explain.trained.pixels import integrated_gradients

        return integrated_gradients(trained, image, label, self.baseline, self.steps)
