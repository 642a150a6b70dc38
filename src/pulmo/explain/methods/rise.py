"""RISE."""

from typing import Annotated, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.sections import Count, Number, Whole
from pulmo.explain.asking import Counter, Fill, batches, fill_value, hide, probability
from pulmo.explain.methods import METHODS, Maps, Method, Pixels, Report


@METHODS.register("rise")
class Rise(Method):
    """The probability of the image seen through random masks (Petsiuk et al. 2018).

    A mask is a grid of cells, each shown with a probability p, enlarged smoothly and moved at
    random (their section 3.3). With f the probability of the class, equation 6 gives the map
    1/(p N) sum_i f(I M_i) M_i. Here f is taken less its mean over the N masks, which shifts the map
    and nothing else, so that 0 says that it does not matter whether a place is shown.
    """

    masks: Count = 2000
    """Number of masks, N; the fewer, the more of the map is chance."""
    cells: Annotated[Whole, Field(ge=2)] = 7
    """Cells of a mask along each side."""
    share: Annotated[Number, Field(gt=0, lt=1)] = 0.5
    """Probability that a cell is shown, p."""
    fill: Fill = None
    """Grey value in [0, 1] of what is hidden; if none, the mean that the network subtracts."""
    seed: Annotated[Whole, Field(ge=0)] = 0
    """Of the masks, which are the same for every image."""

    title = "RISE"
    unit = "probability"
    reading = "A value is how far the probability is above its mean when the place is shown."

    @classmethod
    def quick(cls) -> Self:
        """Returns 128 masks of 5 x 5 cells."""
        return cls(masks=128, cells=5)

    def grain(self, rows: int, columns: int) -> str:  # noqa: ARG002 - the image is square
        """Says how large a cell is."""
        return (
            f"{self.masks} random masks of {self.cells} x {self.cells} cells, seed {self.seed}: "
            "nothing smaller than a cell is told apart."
        )

    def find(
        self, model: ImagePredictor, images: Pixels, classes: NDArray[np.intp], on_progress: Report
    ) -> Maps:
        """Returns the maps, one image after the other."""
        counter = Counter(len(images) * self.masks, on_progress)
        pairs = zip(images, classes, strict=True)
        found = [self._map(model, image, int(label), counter) for image, label in pairs]
        return Maps(np.stack(found).astype(np.float32))

    def _map(
        self, model: ImagePredictor, image: Pixels, label: int, counter: Counter
    ) -> NDArray[np.float64]:
        fill = fill_value(model.card, self.fill)
        seen, weighted, scores = np.zeros(image.shape), np.zeros(image.shape), 0.0
        for numbers in batches(self.masks):
            masks = self._draw(len(image), numbers)
            asked = probability(model, hide(image, masks, fill), label)
            seen += masks.sum(axis=0)
            weighted += np.tensordot(asked, masks, axes=1)
            scores += asked.sum()
            counter.add(len(numbers))
        return (weighted - scores / self.masks * seen) / (self.share * self.masks)

    def _draw(self, size: int, numbers: NDArray[np.intp]) -> NDArray[np.float32]:
        """Returns the masks of these numbers in [0, 1], float32 [m, size, size]."""
        cell = -(-size // self.cells)
        side = (self.cells + 1) * cell
        masks = np.empty((len(numbers), size, size), np.float32)
        for mask, number in zip(masks, numbers, strict=True):
            generator = np.random.default_rng([self.seed, int(number)])
            grid = (generator.random((self.cells, self.cells)) < self.share).astype(np.float32)
            top, left = generator.integers(0, cell, 2)
            large = cv2.resize(grid, (side, side), interpolation=cv2.INTER_LINEAR)
            mask[:] = large[top : top + size, left : left + size]
        return masks
