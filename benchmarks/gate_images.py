"""The images that the gate is fitted and tested on: radiographs and their faults."""

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.gate import CUT, INVERTED, SEVERAL, TURNED
from pulmo.core.sections import Look
from pulmo.datasets.importing import Reading, import_source
from pulmo.datasets.manifest import Manifest
from pulmo.lungs import LungFinder
from pulmo.radiograph import radiograph_from_array, read_radiograph

Pixels = NDArray[np.float32]
"""Grey values [height, width] in [0, 1]."""


SIDE: Final = 512
"""Images are made this large at most before they are changed."""


class Folders(NamedTuple):
    """Where the images are.

    Attributes:
        data: the public sets.
        photographs: `skimage/data` of scikit-image 0.17.2.
        screenshots: PNG images of what a screen shows; None to do without.
    """

    data: Path
    photographs: Path
    screenshots: Path | None


class Source(NamedTuple):
    """A set of images: its reader and folder, and what is taken of it.

    Attributes:
        reader: of `pulmo data sources`.
        folder: below the root of all sets.
        label_map: for the reader `folder`.
        take: chooses images.
        sides: fit, test, or both, which share no group.
    """

    reader: str
    folder: str
    sides: Sequence[str]
    take: Callable[[Manifest], Manifest] = lambda images: images
    label_map: Sequence[tuple[str, str]] = ()


def _cohen(modality: str, *, lateral: bool = False) -> Callable[[Manifest], Manifest]:
    def take(images: Manifest) -> Manifest:
        frame = images.frame
        chosen = frame["modality"].eq(modality).fillna(value=False)
        if modality == "CT":
            return images.select(chosen & ~frame["path"].str.contains("kjr-21-e24"))
        # An image whose view nothing states may be lateral.
        is_lateral = frame["view"].eq("lateral")
        return images.select(chosen & (is_lateral == lateral).fillna(value=False))

    return take


_COHEN: Final = "covid-chestxray-dataset"
_RADIOGRAPHY: Final = "COVID-19_Radiography_Dataset"

FRONTAL: Final = {
    "kermany, training": Source(
        "kermany", "chest_xray", ["fit"], lambda images: images.filter(split="train")
    ),
    "radiography, normal": Source(
        "radiography", _RADIOGRAPHY, ["fit"], lambda images: images.filter(label="normal")
    ),
    "radiography, covid": Source(
        "radiography", _RADIOGRAPHY, ["fit"], lambda images: images.filter(label="covid")
    ),
    "cohen": Source("cohen", _COHEN, ["fit", "test"], _cohen("X-ray")),
    "kermany, test": Source(
        "kermany", "chest_xray", ["test"], lambda images: images.filter(split="test")
    ),
    "nih": Source(
        "darkcovidnet",
        "darkcovidnet",
        ["test"],
        lambda images: images.filter(label=("normal", "pneumonia")),
    ),
    "adult-normals": Source("folder", "adult-normals", ["test"], label_map=[("normal", "normal")]),
    "tuberculosis": Source("folder", "tuberculosis", ["test"], label_map=[(".", "other")]),
    "figure1": Source("figure1", "Figure1-COVID-chestxray-dataset", ["test"]),
}
"""Frontal radiographs."""

LATERAL: Final = {"cohen": Source("cohen", _COHEN, ["fit", "test"], _cohen("X-ray", lateral=True))}

CT: Final = {
    "covid-ct": Source("covid-ct", "COVID-CT", ["fit", "test"]),
    "cohen, CT": Source("cohen", _COHEN, ["test"], _cohen("CT")),
}
"""Slices; four of one publication in cohen are in covid-ct too and are left out."""


def read(source: Source, root: Path, side: str, most: int) -> Iterator[tuple[str, Pixels]]:
    """Yields at most so many images of a side of a source, each with its group."""
    manifest = source.take(_manifest(source.reader, root / source.folder, *source.label_map))
    generator = np.random.default_rng(0)
    if len(source.sides) > 1:
        groups = np.unique(manifest.groups.to_numpy(np.str_))
        of_fit = generator.permutation(groups)[: len(groups) // 2]
        inside = manifest.groups.isin(of_fit)
        manifest = manifest.select(inside if side == "fit" else ~inside)
    chosen = np.sort(generator.permutation(len(manifest))[:most])
    paths, groups = manifest.frame["path"].to_numpy(), manifest.groups.to_numpy(np.str_)
    for number in chosen:
        yield str(groups[number]), at_most(read_radiograph(paths[number]).pixels)


@cache
def _manifest(reader: str, folder: Path, *label_map: tuple[str, str]) -> Manifest:
    return import_source(reader, folder, dict(label_map), reading=Reading(decode=False)).manifest


def changed(pixels: Pixels, generator: np.random.Generator) -> Pixels:
    """Returns a frontal image as another clinic might store it: still one frontal image."""
    height, width = pixels.shape
    image = pixels[:, ::-1] if generator.random() < 0.2 else pixels
    top, left = (int(generator.uniform(0, 0.04) * side) for side in (height, width))
    image = image[top : height - top, left : width - left]
    image = image ** np.float32(generator.uniform(0.6, 1.6))
    middle, contrast = float(image.mean()), generator.uniform(0.6, 1.4)
    image = middle + contrast * (image - middle)
    turn = cv2.getRotationMatrix2D(
        (width / 2, height / 2), generator.uniform(-7, 7), generator.uniform(0.92, 1.0)
    )
    turned = cv2.warpAffine(np.ascontiguousarray(image, np.float32), turn, image.shape[::-1])
    image = np.asarray(np.clip(turned, 0, 1), np.float32)
    if generator.random() < 0.3:
        border = [int(edge) for edge in generator.uniform(0, 0.08, 4) * height]
        image = np.pad(image, [border[:2], border[2:]])
    return np.ascontiguousarray(image, np.float32)


def faulty(
    pixels: Pixels, other: Pixels, finder: LungFinder, generator: np.random.Generator
) -> dict[Look, Pixels]:
    """Returns a frontal image with each fault: kind -> image; a second one is for several."""
    turns = (*(np.rot90(pixels, number) for number in (1, 2, 3)), pixels[::-1])
    images: dict[Look, Pixels] = {
        TURNED: turns[int(generator.integers(len(turns)))],
        INVERTED: 1 - pixels,
        SEVERAL: _tiled(pixels, other, generator),
    }
    cut = _cut(pixels, finder, generator)
    if cut is not None:
        images[CUT] = cut
    return {kind: np.ascontiguousarray(image, np.float32) for kind, image in images.items()}


def _cut(pixels: Pixels, finder: LungFinder, generator: np.random.Generator) -> Pixels | None:
    """Returns an image that ends between the lungs, or within the inner third of one."""
    lungs = finder.find(radiograph_from_array(pixels, (0, 1)))
    if not lungs.found:
        return None
    on_left = np.flatnonzero(lungs.right.any(axis=0))
    on_right = np.flatnonzero(lungs.left.any(axis=0))
    if not len(on_left) or not len(on_right) or on_left[-1] >= on_right[-1]:
        return None
    if generator.random() < 0.5:
        least = (on_left[-1] + on_right[0]) // 2
        inner = on_right[0] + 0.3 * (on_right[-1] - on_right[0])
        edge = int(generator.uniform(least, max(inner, least + 1)))
        return pixels[:, :edge]
    most = (on_left[-1] + on_right[0]) // 2
    inner = on_left[-1] - 0.3 * (on_left[-1] - on_left[0])
    return pixels[:, int(generator.uniform(min(inner, most - 1), most)) :]


def _tiled(one: Pixels, other: Pixels, generator: np.random.Generator) -> Pixels:
    """Returns two images next to each other, or over each other, or four."""
    gap = int(generator.choice([0, 0, 4, 12]))
    paper = float(generator.choice([0, 1]))
    along = int(generator.integers(3))
    second = np.asarray(cv2.resize(other, one.shape[::-1]), np.float32)
    if along == 2:
        pair = _joined(one, second, 0, gap, paper)
        return _joined(pair, _joined(second, one, 0, gap, paper), 1, gap, paper)
    return _joined(one, second, along, gap, paper)


def _joined(one: Pixels, other: Pixels, axis: int, gap: int, paper: float) -> Pixels:
    shape = list(one.shape)
    shape[axis] = gap
    return np.concatenate([one, np.full(shape, paper, np.float32), other], axis=axis)


def radiographs(
    source: str, side: str, root: Path, most: int, finder: LungFinder
) -> Iterator[tuple[Look | None, str, str, Pixels]]:
    """Yields images of a source of `FRONTAL` as they are, changed and with faults.

    For the fit each is changed too, and of every second one each fault is made; for the test every
    second one is changed, and of every fourth the faults are made.

    Yields:
        what is the matter with an image, what it is called, its group, and the image.
    """
    generator = np.random.default_rng([len(source), len(side)])
    change_each, fault_each = (1, 2) if side == "fit" else (2, 4)
    last: Pixels | None = None
    for number, (group, pixels) in enumerate(read(FRONTAL[source], root, side, most)):
        yield None, source, group, pixels
        other = changed(pixels, generator)
        if number % change_each == 0:
            yield None, f"{source}, changed", group, other
        if number % fault_each == 0:
            base = other if side == "fit" and generator.random() < 0.5 else pixels
            faults = faulty(base, pixels if last is None else last, finder, generator)
            for kind, image in faults.items():
                yield kind, source, group, image
        last = pixels


def at_most(pixels: Pixels) -> Pixels:
    """Returns an image at its size, or smaller, so that its longer side is `SIDE`."""
    scale = SIDE / max(pixels.shape)
    if scale >= 1:
        return np.ascontiguousarray(pixels, np.float32)
    height, width = (max(16, round(side * scale)) for side in pixels.shape)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
