"""The grey scale as displayed."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.radiograph.grey import GREY_SCALES, GreyScale


@GREY_SCALES.register("plain")
class Plain(GreyScale):
    """As displayed."""

    def apply(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the image itself."""
        return pixels


PLAIN: Final = Plain()
