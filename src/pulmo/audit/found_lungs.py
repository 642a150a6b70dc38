"""What the network of the lungs finds on an audit's images: masks, and thumbnails of the lungs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.sections import ImageSection
from pulmo.datasets.cache import cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.lungs import LungFinder, LungMask
from pulmo.lungs.framing import cut_out
from pulmo.lungs.mask_files import MaskPart
from pulmo.radiograph.geometry import to_input

SIDE: Final = 16
"""Side in pixels of a thumbnail."""

_BATCH: Final = 32

_FRAME: Final = ImageSection(
    aspect="squash", region="lungs", frame="moments", normalise="lungs", outside="mean"
)
"""What a thumbnail of the lungs shows: the frame by their moments, their grey values at one mean
and deviation, and one grey outside them, so that neither place, exposure nor border tell of the
source."""


class _Found(NamedTuple):
    """What was found on an image: the packed mask, None without lungs, and the thumbnail."""

    packed: NDArray[np.uint8] | None
    thumbnail: NDArray[np.uint8]


class FoundLungs:
    """Finds the lungs of images, of each image once."""

    def __init__(self, finder: LungFinder, cache: Path) -> None:
        """Takes a network, and where decoded images are kept."""
        self._finder, self._cache = finder, cache
        self._images: dict[str, _Found] = {}

    def has(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Tells in which rows of a manifest lungs are found, [n].

        Raises:
            InputError: an image is missing, unreadable or not the one that was imported.
        """
        self._find(rows)
        seen = (self._images[digest].packed is not None for digest in rows["sha256"])
        return np.fromiter(seen, np.bool_, len(rows))

    def thumbnails(self, rows: pd.DataFrame) -> NDArray[np.uint8]:
        """Returns the lungs on rows of a manifest with 16 x 16 pixels, uint8 [n, 16, 16].

        Of an image without lungs it is the whole image, as in `pulmo.lungs.framing`. The errors are
        those of `has`.
        """
        self._find(rows)
        return np.stack([self._images[digest].thumbnail for digest in rows["sha256"]])

    def of(
        self,
        rows: pd.DataFrame,
        image: ImageSection,
        parts: Sequence[MaskPart | None] | None = None,
    ) -> NDArray[np.bool_]:
        """Returns the lungs in a network's inputs of rows that have some, [n, size, size].

        Args:
            rows: of a manifest.
            image: how an image becomes the input.
            parts: the part of each image that becomes the input, None for the whole; None if that
                is so of all.
        """
        self._find(rows)
        side = self._finder.card.size
        made = np.zeros((len(rows), image.size, image.size), np.bool_)
        parts = parts or [None] * len(rows)
        for place, row, part in zip(made, rows.itertuples(), parts, strict=True):
            packed = self._images[str(row.sha256)].packed
            if packed is not None:
                square = np.unpackbits(packed)[: side * side].reshape(side, side)
                shape = int(str(row.height)), int(str(row.width))
                place[:] = _as_input(square, shape, image, part)
        return made

    def _find(self, rows: pd.DataFrame) -> None:
        """Finds the lungs of the rows that were not asked about yet."""
        new = rows[~rows["sha256"].isin(self._images)].drop_duplicates("sha256")
        if new.empty:
            return
        shape = ImageSection(size=self._finder.card.size, aspect="squash")
        images = cached_images(Manifest.from_rows(new), shape, self._cache)
        for part in np.array_split(np.arange(len(new)), -(-len(new) // _BATCH)):
            pixels = images.take(part)
            probabilities = self._finder.probabilities(pixels)
            for number, shown, probability in zip(part, pixels, probabilities, strict=True):
                lungs = self._finder.decide(probability, probability.shape[:2])
                packed = np.packbits(lungs.mask) if lungs.found else None
                digest = str(new["sha256"].iloc[number])
                self._images[digest] = _Found(packed, _thumbnail(shown, lungs))


def _thumbnail(squashed: NDArray[np.uint8], lungs: LungMask) -> NDArray[np.uint8]:
    """Returns the lungs on a squashed image, which is shaped like the frame's square then."""
    pixels = squashed.astype(np.float32) / np.float32(255)
    shown = cut_out(pixels, lungs, _FRAME)
    return to_input(shown.pixels, SIDE, _FRAME.aspect, fill=shown.fill)


def _as_input(
    square: NDArray[np.uint8], shape: tuple[int, int], image: ImageSection, part: MaskPart | None
) -> NDArray[np.bool_]:
    """Returns a mask of a squashed image as the mask of the network's input.

    Args:
        square: 1 in the lungs.
        shape: height and width of the image; only their ratio counts.
        image: how it becomes the input.
        part: the part of it that does; None for all of it.
    """
    shrunk = min(1.0, 2 * max(image.size, len(square)) / max(shape))
    height, width = (max(1, round(side * shrunk)) for side in shape)
    flat = np.asarray(
        cv2.resize(square.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR),
        np.float32,
    )
    if part is not None:
        flat = part.box.scaled(part.shape, (height, width)).of(flat)
    return np.asarray(to_input(flat, image.size, image.aspect) > 127)
