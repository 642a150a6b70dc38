"""A heat map: the evidence for one class in one image."""

import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pulmo.core.files import write_atomically
from pulmo.radiograph.geometry import Aspect


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The evidence for a class in an image; in a notebook it shows itself.

    Attributes:
        array: the class activation map over the input square, float32 [rows, columns], signed, in
            units of the logit. A value above 0 is evidence for the class.
        label: the class.
        scale: the value at the end of the colour scale, the same for every image of a model.
        aspect: how the image became the input square.
        caption: a line or two below the drawing.
        pixels: the image, float32 [height, width] in [0, 1].
    """

    array: NDArray[np.float32]
    label: str
    scale: float
    aspect: Aspect
    caption: str
    pixels: NDArray[np.float32] = field(repr=False)

    def png(self) -> bytes:
        """Draws the image next to the same image with the map painted on it.

        Raises:
            InputError: the map holds values that are not finite, or the scale is not above 0.
        """
        # matplotlib, for which a prediction without a map does not wait.
        from pulmo.explain.overlay import draw_overlay  # noqa: PLC0415 - see above

        return draw_overlay(
            self.pixels,
            self.array,
            aspect=self.aspect,
            scale=self.scale,
            label=self.label,
            caption=self.caption,
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the drawing as a PNG file.

        Raises:
            InputError: the map cannot be drawn, or the file cannot be written.
        """
        write_atomically(Path(path), self.png())

    def _repr_png_(self) -> bytes:
        return self.png()
