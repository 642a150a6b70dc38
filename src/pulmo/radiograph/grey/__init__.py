"""The grey scales, one registered class each; `GREY_SCALES` reads this folder."""

from abc import ABC, abstractmethod
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.choices import Choice, Choices


class GreyScale(Choice, ABC):
    """A change of an image's grey scale that depends on the image alone."""

    @abstractmethod
    def apply(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns an image with its grey scale changed, float32 [height, width] in [0, 1].

        Args:
            pixels: float32 [height, width] in [0, 1].
        """


GREY_SCALES: Final = Choices[GreyScale]("grey scale", "pulmo.radiograph.grey")
