"""LIME."""

from functools import partial
from typing import Annotated, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.sections import Count, Positive, Whole
from pulmo.explain.asking import Counter, Fill, fill_value, hide, probabilities_of_changes
from pulmo.explain.methods import METHODS, Maps, Method, Pixels, Report


@METHODS.register("lime")
class Lime(Method):
    """A linear model of which squares of the image raise the probability (Ribeiro et al. 2016).

    Samples hide each square with probability 1/2. A ridge regression on which squares were shown
    gives their coefficients, which are the map; a sample's weight is exp(-D^2 / width^2), where D
    is the cosine distance to showing all (their equation 2 and section 3.3). The squares are a
    plain grid: superpixels follow the edges of the image, and a map that follows edges looks more
    exact than it is.
    """

    cells: Annotated[Whole, Field(ge=2, le=32)] = 8
    """Squares along each side of the image."""
    samples: Annotated[Count, Field(ge=2)] = 1000
    """Images with squares hidden."""
    width: Positive = 0.25
    """Width of the kernel that weights the samples."""
    penalty: Positive = 1.0
    """Of the ridge regression."""
    fill: Fill = None
    """Grey value in [0, 1] of what is hidden; if none, the mean that the network subtracts."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Of the samples, which are the same for every image."""

    title = "LIME"
    unit = "probability"
    reading = "A value is what showing a square adds to the probability in a linear model."

    @classmethod
    def quick(cls) -> Self:
        """Returns 128 samples of 5 x 5 squares."""
        return cls(samples=128, cells=5)

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps, one image after the other."""
        # It takes a second to import, for which nothing else waits.
        from sklearn.linear_model import Ridge

        counter = Counter(len(images) * self.samples, on_progress)
        shown, fill = self._samples(), fill_value(model.card, self.fill)
        weights = np.exp(-((1 - np.sqrt(shown.mean(axis=1))) ** 2) / self.width**2)
        found = []
        for image, label in zip(images, classes, strict=True):
            change = partial(self._change, image=image, shown=shown, fill=fill)
            asked = probabilities_of_changes(model, change, len(shown), int(label), counter)
            fitted = Ridge(alpha=self.penalty).fit(shown, asked, sample_weight=weights)
            found.append(np.reshape(fitted.coef_, (self.cells, self.cells)))
        return Maps(np.stack(found).astype(np.float32))

    def _samples(self) -> NDArray[np.float64]:
        """Returns which squares each sample shows, [samples, squares]; the first shows all."""
        generator = np.random.default_rng(self.seed)
        shown = generator.integers(0, 2, (self.samples, self.cells**2)).astype(np.float64)
        shown[0] = 1
        return shown

    def _change(
        self,
        numbers: NDArray[np.intp],
        image: Pixels,
        shown: NDArray[np.float64],
        fill: float,
    ) -> Pixels:
        """Returns an image as the samples of these numbers show it, [m, size, size]."""
        square = np.arange(len(image)) * self.cells // len(image)
        grids = shown[numbers].reshape(-1, self.cells, self.cells)
        return hide(image, grids[:, square][:, :, square], fill)
