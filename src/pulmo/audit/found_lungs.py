"""Lung masks of an audit's images that the network of the lungs finds, where no files are given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.sections import ImageSection
from pulmo.datasets.cache import cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.lungs import LungFinder
from pulmo.lungs.mask_files import MaskPart
from pulmo.radiograph.geometry import to_input

_BATCH: Final = 32


class FoundLungs:
    """Finds the lungs of images, of each image once."""

    def __init__(self, finder: LungFinder, cache: Path) -> None:
        """Takes a network, and where decoded images are kept."""
        self._finder, self._cache = finder, cache
        self._masks: dict[str, NDArray[np.uint8] | None] = {}

    def has(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Tells in which rows of a manifest lungs are found, [n].

        Raises:
            InputError: an image is missing, unreadable or not the one that was imported.
        """
        self._find(rows)
        return np.array([self._masks[digest] is not None for digest in rows["sha256"]], np.bool_)

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
            packed = self._masks[str(row.sha256)]
            if packed is not None:
                square = np.unpackbits(packed)[: side * side].reshape(side, side)
                shape = int(str(row.height)), int(str(row.width))
                place[:] = _as_input(square, shape, image, part)
        return made

    def _find(self, rows: pd.DataFrame) -> None:
        """Finds the lungs of the rows that were not asked about yet."""
        new = rows[~rows["sha256"].isin(self._masks)].drop_duplicates("sha256")
        if new.empty:
            return
        shape = ImageSection(size=self._finder.card.size, aspect="squash")
        images = cached_images(Manifest.from_rows(new), shape, self._cache)
        for part in np.array_split(np.arange(len(new)), -(-len(new) // _BATCH)):
            probabilities = self._finder.probabilities(images.take(part))
            for number, probability in zip(part, probabilities, strict=True):
                found = self._finder.decide(probability, probability.shape[:2])
                packed = np.packbits(found.mask) if found.found else None
                self._masks[new["sha256"].iloc[number]] = packed


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
