"""Framing: the part of an image that a network sees, and the network's input of it.

Training, calibration, audit and prediction all take their inputs from here.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.core.sections import ImageSection
from pulmo.radiograph import Note, Radiograph
from pulmo.radiograph.geometry import Box, to_input

if TYPE_CHECKING:
    from pulmo.lungs.finder import LungFinder
    from pulmo.lungs.mask import LungMask


MEAN: Final = 128 / 255
"""The grey that the lungs' mean becomes where grey values are normalised by the lungs."""

DEVIATION: Final = 40 / 255
"""What a standard deviation of the lungs' grey values becomes, so that 3.2 of them are kept."""

NO_FINDER: Final = "A network of the lungs is needed where the region is lungs."


class Framed(NamedTuple):
    """The part of an image that a network sees.

    Attributes:
        pixels: float32 [height, width] in [0, 1].
        box: where it lies in the image; None if it is the whole image. It may stick out of the
            image, where it is filled like what is outside the lungs.
        notes: what a user must know of it.
        fill: the grey in [0, 1] of all that is outside the lungs, if it is their mean; else None.
        lungs: what the network of the lungs saw, as `LungFinder.look` gives it; None if it was not
            asked.
    """

    pixels: NDArray[np.float32]
    box: Box | None = None
    notes: tuple[Note, ...] = ()
    fill: float | None = None
    lungs: NDArray[np.float32] | None = None


class FramedInput(NamedTuple):
    """The input of a network.

    Attributes:
        pixels: uint8 [size, size], 0 black.
        box: the part of the image that became it; None if it is the whole image.
        notes: what a user must know of that part.
        lungs: as `Framed.lungs`.
    """

    pixels: NDArray[np.uint8]
    box: Box | None
    notes: tuple[Note, ...]
    lungs: NDArray[np.float32] | None = None


def framed_input(
    radiograph: Radiograph, image: ImageSection, finder: "LungFinder | None"
) -> FramedInput:
    """Returns a network's input of an image.

    Args:
        radiograph: the image.
        image: how it becomes the input.
        finder: the network of the lungs; None where the input is of the whole image.

    Raises:
        ValueError: the input is to be of the lungs, and no network was given.
    """
    part = framed(radiograph, image, finder)
    pixels = to_input(part.pixels, image.size, image.aspect, image.grey, part.fill)
    return FramedInput(pixels, part.box, part.notes, part.lungs)


def framed(radiograph: Radiograph, image: ImageSection, finder: "LungFinder | None") -> Framed:
    """Returns the part of an image that a network sees.

    That is the whole image, with a note, where no lungs are found. The arguments and errors are
    those of `framed_input`.
    """
    if image.region == "all":
        return Framed(radiograph.pixels)
    if finder is None:
        raise ValueError(NO_FINDER)
    seen = finder.look(radiograph)
    shown = cut_out(radiograph.pixels, finder.mask(radiograph, seen), image)
    return shown._replace(lungs=seen)


def cut_out(pixels: NDArray[np.float32], lungs: "LungMask", image: ImageSection) -> Framed:
    """Returns the lungs' part of an image; the whole image, with a note, where none were found.

    Args:
        pixels: float32 [height, width] in [0, 1].
        lungs: what was found on it, at its size.
        image: which part is taken, and how its grey values are changed.
    """
    box = lungs.box(image.margin) if image.frame == "box" else lungs.frame(image.spread)
    if box is None:
        text = f"{lungs.reason} The whole image was shown to the model."
        return Framed(pixels, None, (Note("no-lungs", text),))
    within = pixels[lungs.mask].astype(np.float64)
    mean = float(within.mean())
    # Only what is shown is worked on: all pixels of a large image cost more than a network.
    inside = box.inside(*pixels.shape)
    shown = pixels[inside.slices]
    if image.normalise == "lungs":
        shown, mean = _normalised(shown, mean, float(within.std())), MEAN
    fill = mean if image.outside == "mean" else 0.0
    if image.outside != "kept":
        shown = np.where(_widened(lungs, image.margin, inside), shown, np.float32(fill))
    placed = box.moved(-inside.top, -inside.left)
    return Framed(placed.of(shown, fill), box, fill=fill or None)


def _normalised(pixels: NDArray[np.float32], mean: float, deviation: float) -> NDArray[np.float32]:
    """Returns pixels in [0, 1] with the mean and deviation of the lungs at `MEAN`, `DEVIATION`.

    Lungs of one grey have no deviation; they become `MEAN`, and the rest black or white.
    """
    divisor = max(deviation, float(np.finfo(np.float32).tiny))
    # float32 throughout: numbers of Python do not change the type of an array.
    scores = (pixels - mean) / divisor * DEVIATION + MEAN
    return np.asarray(np.clip(scores, 0, 1), np.float32)


def finder_for(image: ImageSection) -> "LungFinder | None":
    """Returns the network of the lungs that comes with pulmo; None if whole images are taken."""
    if image.region == "all":
        return None
    # OpenCV, which a model of whole images never uses.
    from pulmo.lungs.finder import shipped_finder  # noqa: PLC0415 - see above

    return shipped_finder()


def open_finder(
    image: ImageSection, path: Path, expected: str | None = None
) -> "LungFinder | None":
    """Returns the network of the lungs in the folder of a run; None if whole images are taken.

    Args:
        image: how an image becomes the input.
        path: the file of the network.
        expected: its SHA-256, if the run's card states it already.

    Raises:
        InputError: the file is missing, is no network of the lungs, or was changed.
    """
    if image.region == "all":
        return None
    finder = parse_finder(read_bytes(path), str(path))
    if expected not in (None, finder.sha256):
        raise InputError("run-file-changed", f"{path} was changed after the training.")
    return finder


def parse_finder(model: bytes, origin: str) -> "LungFinder":
    """Opens a network of the lungs; the arguments and errors are those of `LungFinder`."""
    from pulmo.lungs.finder import LungFinder  # noqa: PLC0415 - as in `finder_for`

    return LungFinder(model, origin)


def _widened(lungs: "LungMask", margin: float, part: Box) -> NDArray[np.bool_]:
    """Returns the lungs with a border, in a part of their image, bool [rows, columns].

    The border is as wide as the margin of the shorter side of their rectangle, so that it stays
    within the margin on all sides.
    """
    box = lungs.box()
    width = 0 if box is None else round(margin * min(box.shape))
    if width == 0:
        return lungs.mask[part.slices]
    import cv2  # noqa: PLC0415 - as in `finder_for`

    # The lung that is nearest to a pixel of the part may lie that far outside of it.
    around = Box(part.top - width, part.bottom + width, part.left - width, part.right + width)
    around = around.inside(*lungs.mask.shape)
    distance = cv2.distanceTransform(
        (~lungs.mask[around.slices]).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    return np.asarray(distance[part.moved(-around.top, -around.left).slices] <= width, np.bool_)
