"""Files of lung masks: found by the image's name, resized like the image, and written."""

import io
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.output import claim_folder
from pulmo.radiograph import read_radiograph
from pulmo.radiograph.geometry import Aspect, Box, to_input


class LungMasks(NamedTuple):
    """The masks below a folder.

    Attributes:
        root: the folder, for messages.
        files: (name of the mask's folder, name without its end) -> file.
    """

    root: Path
    files: dict[tuple[str, str], Path]

    def of(self, image: str) -> Path | None:
        """Returns the mask of an image; None if there is none."""
        path = PurePath(image)
        for parent in path.parents:
            if found := self.files.get((parent.name, path.stem)):
                return found
        return None


def find_masks(root: Path) -> LungMasks:
    """Lists the masks below a folder.

    A mask is a PNG, white where the lungs are, of its image's shape and named like it. It lies in
    a folder that is named like one in which its image lies, such as `chest_xray/IM-0115-0001.png`
    for `chest_xray/train/NORMAL/IM-0115-0001.jpeg`.

    Raises:
        InputError: the folder is missing or holds no PNG.
    """
    files = {(path.parent.name, path.stem): path for path in sorted(root.rglob("*.png"))}
    if not files:
        raise InputError(
            "lung-masks-missing",
            f"{root} contains no lung mask. PNG files with the names of the images were expected.",
        )
    return LungMasks(root, files)


class MaskPart(NamedTuple):
    """A part of an image, in its pixels.

    Attributes:
        box: the part.
        shape: height and width of the image.
    """

    box: Box
    shape: tuple[int, int]


def read_mask(
    path: Path, size: int, aspect: Aspect, part: MaskPart | None = None
) -> NDArray[np.bool_]:
    """Returns whether each pixel of a network's input shows the lungs, [size, size].

    Args:
        path: the mask's file.
        size: side of the input in pixels.
        aspect: how an image that is not square becomes square.
        part: the part of the image that becomes the input; None for all of it.

    Raises:
        InputError: the file cannot be read.
    """
    mask = read_radiograph(path).pixels
    if part is not None:
        height, width = mask.shape
        mask = part.box.scaled(part.shape, (height, width)).of(mask)
    return to_input(mask, size, aspect) > 127


def write_mask(path: Path, mask: NDArray[np.bool_]) -> None:
    """Writes a mask, bool [height, width], as a PNG of one bit a pixel, white where it is true.

    Raises:
        InputError: the file cannot be written.
    """
    claim_folder(path.parent)
    buffer = io.BytesIO()
    Image.fromarray(mask).save(buffer, "PNG")
    write_atomically(path, buffer.getvalue())
