"""Histogram equalisation in tiles."""

from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.core.sections import Whole
from pulmo.radiograph.grey import GREY_SCALES, GreyScale

_LIMIT: Final = 2.0


@GREY_SCALES.register("clahe")
class Clahe(GreyScale):
    """Equalised in tiles (Zuiderveld 1994).

    At 16 bits OpenCV's limit of the contrast is one pixel a grey for tiles of fewer than 65,536
    pixels, whatever limit is asked for: it acts on greys that repeat exactly.
    """

    tiles: Annotated[Whole, Field(ge=1, le=64)] = 8
    """Tiles along each side; the default is OpenCV's and scikit-image's."""

    def apply(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the image as OpenCV equalises it, at 16 bits."""
        import cv2  # noqa: PLC0415 - a prediction without it need not pay for its import

        deep = np.rint(pixels * 65535).astype(np.uint16)
        equalised = cv2.createCLAHE(_LIMIT, (self.tiles, self.tiles)).apply(deep)
        return np.asarray(equalised / np.float32(65535), np.float32)
