"""A stretch between percentiles."""

from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from pulmo.core.sections import Number
from pulmo.radiograph.grey import GREY_SCALES, GreyScale

# An image of nearly one grey has nothing to stretch.
_NARROWEST: Final = 1 / 4096


@GREY_SCALES.register("stretch")
class Stretch(GreyScale):
    """A low percentile of the greys becomes black and a high one white."""

    low: Annotated[Number, Field(ge=0, lt=50)] = 1.0
    """The percentile that becomes black."""
    high: Annotated[Number, Field(gt=50, le=100)] = 99.0
    """The percentile that becomes white."""

    def apply(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns the image between its percentiles; what is outside is cut off."""
        low, high = np.percentile(pixels, [self.low, self.high])
        stretched = np.clip((pixels - low) / max(high - low, _NARROWEST), 0, 1)
        return np.asarray(stretched, np.float32)
