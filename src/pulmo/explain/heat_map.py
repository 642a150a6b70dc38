"""A heat map: the evidence for one class in one image."""

import io
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from pulmo.core.files import write_atomically
from pulmo.decide.detections import Detection
from pulmo.explain.annotations import NOTHING, Annotations
from pulmo.explain.location import evidence_share, on_small_image, small_mask
from pulmo.explain.methods import Method
from pulmo.radiograph.geometry import Aspect, Box

if TYPE_CHECKING:
    from pulmo.explain.overlay import Overlay

_OWN_SCALE: Final = (
    "The colours end at the largest absolute value of this map: those of two maps do not compare."
)


@dataclass(frozen=True, eq=False)
class HeatMap:
    """The evidence for a class in an image; in a notebook it shows itself.

    Attributes:
        array: the map over the input square, float32 [rows, columns], signed, in the method's
            unit. A value above 0 is evidence for the class.
        label: the class.
        method: how it was made.
        layer: the layer of the network that it was made from; None if of none in particular.
        scale: the value at the end of the colour scale: of a bundle's own maps that of the card,
            the same for every image; else the largest absolute value of this map.
        aspect: how the image became the input square.
        caption: a line or more below the drawing.
        pixels: the image, float32 [height, width] in [0, 1].
        input: the image as the network took it, uint8 [size, size].
        annotations: lines, boxes and letters on the drawing.
        box: the part of the image that became the input; None if that is the whole image.
    """

    array: NDArray[np.float32]
    label: str
    method: Method
    layer: str | None
    scale: float
    aspect: Aspect
    caption: str
    pixels: NDArray[np.float32] = field(repr=False)
    input: NDArray[np.uint8] = field(repr=False)
    annotations: Annotations = field(default=NOTHING, repr=False)
    box: Box | None = None

    @property
    def unit(self) -> str:
        """The unit of the values."""
        return self.method.unit

    @property
    def detections(self) -> tuple[Detection, ...]:
        """Boxes about evidence, the highest first; of a bundle's own maps alone."""
        return tuple(self.annotations.detections)

    @property
    def share_in_lungs(self) -> float | None:
        """Share of the positive values inside the lungs, 0 to 1.

        None if no lungs were found, no value is above 0, or a value is not finite.
        """
        lungs = self.annotations.outline
        if lungs is None or not np.isfinite(self.array).all():
            return None
        evidence = on_small_image(self.array, self.pixels.shape, self.aspect, self.box)
        return evidence_share(np.nan_to_num(evidence), small_mask(lungs, evidence.shape))

    @property
    def _legend(self) -> str:
        of = f"evidence for {self.label}" if self.method.of_class else "features of no class"
        return f"{of} ({self.unit})"

    def png(self) -> bytes:
        """Draws the image next to the same image with the map painted on it.

        Raises:
            InputError: the map holds values that are not finite, or the scale is not above 0.
        """
        # matplotlib, for which a prediction without a map does not wait.
        from pulmo.explain.overlay import draw_overlay  # noqa: PLC0415 - see above

        return draw_overlay(self._overlay(), legend=self._legend, caption=self.caption)

    def sheet(self) -> NDArray[np.uint8]:
        """Draws the same as `png`, as RGB, uint8 [height, width, 3].

        Raises:
            InputError: as for `png`.
        """
        from pulmo.explain.overlay import draw_sheet  # noqa: PLC0415 - as in `png`

        return draw_sheet(self._overlay(), legend=self._legend, caption=self.caption)

    def pair(self) -> bytes:
        """Draws the same as `png` without words, as a small JPEG for a page that has its own.

        Raises:
            InputError: as for `png`.
        """
        from pulmo.explain.overlay import small_pair  # noqa: PLC0415 - as in `png`

        return small_pair(self._overlay())

    def layer_png(self) -> bytes:
        """Draws the map alone, RGBA, to be laid over the image.

        Raises:
            InputError: as for `png`.
        """
        from pulmo.explain.overlay import draw_layer  # noqa: PLC0415 - as in `png`

        return draw_layer(self._overlay())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the drawing as a PNG file.

        Raises:
            InputError: the map cannot be drawn, or the file cannot be written.
        """
        write_atomically(Path(path), self.png())

    def save_values(self, path: str | os.PathLike[str]) -> None:
        """Writes the values as an NPZ file, which `numpy.load` reads.

        It holds `map`; `image`, uint8 [size, size], the network's input, over which the map lies;
        `box`, int [4], the rows and columns from which that was made (top, bottom, left, right;
        they may lie outside the image); and as text `label`, `method` with its parameters,
        `layer`, blank if there is none, and `unit`.

        Raises:
            InputError: the file cannot be written.
        """
        buffer = io.BytesIO()
        np.savez_compressed(
            buffer,
            map=self.array,
            image=self.input,
            box=np.array(self.box or (0, self.pixels.shape[0], 0, self.pixels.shape[1])),
            label=self.label,
            method=str(self.method),
            layer=self.layer or "",
            unit=self.unit,
        )
        write_atomically(Path(path), buffer.getvalue())

    def _overlay(self) -> "Overlay":
        from pulmo.explain.overlay import Overlay  # noqa: PLC0415 - as in `png`

        return Overlay(self.pixels, self.array, self.aspect, self.scale, self.annotations, self.box)

    def _repr_png_(self) -> bytes:
        return self.png()


def caption(method: Method, array: NDArray[np.float32], layer: str | None) -> str:
    """Returns sentences on what a map shows, and what its values, places and colours mean.

    Args:
        method: how it was made.
        array: the map, [rows, columns].
        layer: the layer that it was made from.
    """
    rows, columns = array.shape
    named = f"{method.title}, layer {layer}." if layer else f"{method.title}."
    colours = "" if method.in_graph else _OWN_SCALE
    return " ".join(filter(None, (named, method.reading, method.grain(rows, columns), colours)))
