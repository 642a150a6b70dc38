"""Histogram equalisation."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.radiograph.grey import GREY_SCALES, GreyScale

_BINS: Final = 4096


@GREY_SCALES.register("equalise")
class Equalise(GreyScale):
    """All greys become equally frequent (histogram equalisation)."""

    def apply(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the image with each grey replaced by its rank."""
        counts, edges = np.histogram(pixels, _BINS, (0, 1))
        # The darkest grey of the image stays black, as in OpenCV's equalizeHist.
        ranks = np.concatenate([[0], counts.cumsum()]) - counts[counts > 0][0]
        shares = np.clip(ranks / max(ranks[-1], 1), 0, 1)
        return np.asarray(np.interp(pixels, edges, shares), np.float32)
