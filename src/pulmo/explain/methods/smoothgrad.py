"""SmoothGrad."""

from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.core.sections import Count, Positive, Whole
from pulmo.explain.gradients import PixelMethod
from pulmo.explain.methods import METHODS, Pixels

if TYPE_CHECKING:
    from pulmo.explain.trained.network import TrainedNetwork


@METHODS.register("smoothgrad")
class SmoothGrad(PixelMethod):
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
    def passes(self) -> int:
        """The noisy copies."""
        return self.samples

    def of_image(self, trained: "TrainedNetwork", image: Pixels, label: int) -> NDArray[np.float32]:
        """Returns the map of one image."""
        from pulmo.explain.trained.pixels import Noise, smooth_gradient

        noise = Noise(self.noise, self.samples, self.seed)
        return np.abs(smooth_gradient(trained, image, label, noise))
