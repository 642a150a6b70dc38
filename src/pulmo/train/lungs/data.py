"""What the network of the lungs is shown: images with their masks, and images without lungs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.sections import ImageSection
from pulmo.datasets.cache import cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.modality import kinds
from pulmo.datasets.split import check_split
from pulmo.lungs.mask_files import LungMasks, read_mask
from pulmo.train.lungs.drawn import drawn_images
from pulmo.train.lungs.settings import LungSettings

FRONTAL: Final = ("PA", "AP", "AP supine")
OTHER_VIEWS: Final = ("lateral", "axial", "coronal")

_MOST_LUNG: Final = 0.02
"""Greatest share of a part of an image that may be lung for the part to show none."""


class LungImages(NamedTuple):
    """Images and where their lungs are.

    Attributes:
        images: uint8 [n, size, size].
        masks: bool [n, size, size]; nowhere true in an image without lungs.
    """

    images: NDArray[np.uint8]
    masks: NDArray[np.bool_]

    @property
    def has_lungs(self) -> NDArray[np.bool_]:
        """Whether each image shows lungs, [n]."""
        return np.asarray(self.masks.any(axis=(1, 2)), np.bool_)

    @classmethod
    def without(cls, images: NDArray[np.uint8]) -> Self:
        """Takes images without lungs."""
        return cls(images, np.zeros(images.shape, np.bool_))

    @classmethod
    def concat(cls, *parts: "LungImages") -> Self:
        """Joins parts."""
        return cls(
            np.concatenate([p.images for p in parts]), np.concatenate([p.masks for p in parts])
        )


class LungRows(NamedTuple):
    """The images of a manifest that a training can use.

    Attributes:
        masked: frontal X-rays with a lung mask.
        other: lateral views and CT slices, in which no lungs are to be found.
    """

    masked: Manifest
    other: Manifest


def lung_rows(manifest: Manifest, masks: LungMasks) -> LungRows:
    """Returns the images of a manifest that a training of the lungs can use."""
    frame = manifest.frame
    is_ray = kinds(frame["modality"]).eq("X-ray").fillna(value=False)
    has_mask = np.array([masks.of(path) is not None for path in frame["path"]], np.bool_)
    return LungRows(
        manifest.select(has_mask & is_ray & frame["view"].isin(FRONTAL)),
        manifest.select(frame["view"].isin(OTHER_VIEWS)),
    )


def gather_lungs(
    manifest: Manifest,
    masks: LungMasks,
    settings: LungSettings,
    cache: Path,
    on_decode: Callable[[int, int], None] = lambda *_: None,
) -> tuple[LungImages, LungImages]:
    """Returns what is shown in training and in validation.

    Args:
        manifest: images with their split.
        masks: the masks of some of them.
        settings: of the training.
        cache: where decoded images are kept.
        on_decode: called with the images decoded and the images to decode.

    Raises:
        InputError: a split has no image with a mask, or a file cannot be read.
        RefusedError: the split leaks.
    """
    check_split(manifest)
    shape = ImageSection(size=settings.size, aspect="squash")
    found = []
    for number, split in enumerate(("train", "val")):
        rows = lung_rows(manifest.split(split), masks)
        if not len(rows.masked):
            raise InputError(
                "lung-images-missing", f"The manifest has no {split} image with a lung mask."
            )
        masked, other = (
            cached_images(part, shape, cache, on_decode).take(np.arange(len(part)))
            if len(part)
            else np.empty((0, settings.size, settings.size), np.uint8)
            for part in rows
        )
        lungs = LungImages(masked, read_masks(rows.masked, masks, settings.size))
        share = 1.0 if split == "train" else 0.25
        drawn = drawn_images(round(settings.drawn * share), settings.size, settings.seed + number)
        around = elsewhere(lungs, round(settings.elsewhere * share), settings.seed + number)
        found.append(
            LungImages.concat(lungs, LungImages.without(np.concatenate([other, drawn])), around)
        )
    return found[0], found[1]


def read_masks(manifest: Manifest, masks: LungMasks, size: int) -> NDArray[np.bool_]:
    """Returns where the lungs are in images that have a mask, squashed, [n, size, size].

    Raises:
        InputError: a mask cannot be read.
    """
    files = [masks.of(path) for path in manifest.frame["path"]]
    read = [read_mask(file, size, "squash") for file in files if file]
    return np.array(read, np.bool_).reshape(-1, size, size)


def elsewhere(lungs: LungImages, count: int, seed: int) -> LungImages:
    """Returns parts of images that show no lung: neck, shoulder, belly, edge; `count` at most."""
    generator = np.random.default_rng([seed, 1])
    size = lungs.images.shape[1]
    parts: list[NDArray[np.uint8]] = []
    for _ in range(100 * count):
        if len(parts) == count:
            break
        number, side = (
            generator.integers(len(lungs.images)),
            generator.integers(size // 6, size // 3),
        )
        top, left = generator.integers(0, size - side, 2)
        place = (number, slice(top, top + side), slice(left, left + side))
        part = lungs.images[place]
        if lungs.masks[place].mean() <= _MOST_LUNG and part.std() > 8:
            large = cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)
            parts.append(np.asarray(large, np.uint8))
    return LungImages.without(np.array(parts, np.uint8).reshape(-1, size, size))
