"""Training data: what a recipe takes of a manifest, decoded, and what each epoch shows of it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.labels import class_numbers
from pulmo.core.recipe import Recipe
from pulmo.core.sections import DataSection
from pulmo.core.training import TrainSection
from pulmo.datasets.cache import Images, cached_images
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.modality import count_kinds, stated_kinds
from pulmo.datasets.split import check_split
from pulmo.lungs.framing import finder_for

if TYPE_CHECKING:
    from pulmo.lungs import LungFinder

RESIDENT_SHARE: Final = 0.5
"""Part of a GPU's free memory that images may take; the rest is for the network and gradients."""

_CHUNK: Final = 1024


class TrainingData(NamedTuple):
    """The training and validation images of a run.

    Attributes:
        manifest: what is known of them.
        images: their inputs.
        truth: int64 [n], the kind of each row (`Recipe.kinds`): its class, or, of a row to train
            on, its coarse label.
        train: int [..], the rows to train on.
        val: int [..], the rows to choose by.
        finder: the network by which the images show the lungs; None if they are whole.
    """

    manifest: Manifest
    images: Images
    truth: NDArray[np.int64]
    train: NDArray[np.intp]
    val: NDArray[np.intp]
    finder: "LungFinder | None" = None


def gather(
    recipe: Recipe,
    manifest: Manifest,
    cache: Path,
    on_progress: Callable[[int, int], None] | None = None,
    finder: "LungFinder | None" = None,
) -> TrainingData:
    """Takes the images that the recipe uses; those of the test split are not opened.

    Args:
        recipe: the experiment.
        manifest: the images with their split.
        cache: where decoded images are kept.
        on_progress: called with the images decoded and the images to decode.
        finder: the network of the lungs; None takes the one that comes with pulmo, if the recipe
            shows the lungs.

    Raises:
        RefusedError: the split leaks, or the images are of several modalities that the recipe
            does not name.
        InputError: the manifest has no split, or a class has no image on one side.
    """
    check_split(manifest)
    used = filtered(recipe.data, manifest).split("train", "val")
    truth = class_numbers(used.frame["label"], recipe.kinds, recipe.labels.merge)
    is_coarse = truth >= len(recipe.labels.order)
    chosen = (truth >= 0) & ~(is_coarse & (used.frame["split"] == "val").to_numpy(np.bool_))
    used, truth = used.select(chosen), truth[chosen].astype(np.int64)
    _check_modality(recipe.data, used)
    side = used.frame["split"].to_numpy(str)
    _check_classes(recipe, side, truth)
    finder = finder or finder_for(recipe.image)
    images = cached_images(used, recipe.image, cache, on_progress, finder)
    train, val = (np.flatnonzero(side == name) for name in ("train", "val"))
    return TrainingData(used, images, truth, train, val, finder)


def filtered(section: DataSection, manifest: Manifest) -> Manifest:
    """Returns the images whose source, view and modality the recipe names, if it names any."""
    return manifest.filter(
        source=section.sources or None,
        view=section.views or None,
        modality=section.modalities or None,
    )


def class_counts(truth: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Returns int64 [classes], the images of each class; those with a coarse label are of none."""
    return np.bincount(truth, minlength=classes)[:classes].astype(np.int64)


def _check_classes(recipe: Recipe, side: NDArray[np.str_], truth: NDArray[np.int64]) -> None:
    for split in ("train", "val"):
        counts = class_counts(truth[side == split], len(recipe.labels.order))
        empty = [label for label, n in zip(recipe.labels.order, counts, strict=True) if n == 0]
        if empty:
            raise InputError(
                "training-images-missing",
                f"The manifest has no {split} image of {', '.join(empty)} that the recipe "
                f"{recipe.name!r} may use.",
            )


def _check_modality(section: DataSection, manifest: Manifest) -> None:
    """Refuses images of several modalities that the recipe does not name.

    What distinguishes an X-ray from a CT slice would distinguish classes that they do not share.
    """
    stated = stated_kinds(manifest)
    if len(stated) > 1 and not section.modalities:
        choices = " or ".join(_setting([name]) for name in stated)
        raise RefusedError(
            "modalities-mixed",
            f"The images to train on are of several modalities: {count_kinds(manifest)}. Choose "
            f"one with {choices}, or mix them on purpose with {_setting(stated)}.",
        )


def _setting(modalities: Sequence[str]) -> str:
    return f"data.modalities={json.dumps(modalities)}"


def resident_images(images: Images, device: torch.device) -> Tensor | None:
    """Returns uint8 [n, size, size] in a GPU's memory, so that a step takes its batch by an index.

    Neither a disk nor the bus between processor and GPU is waited for then. None on a processor,
    where the cache is mapped into memory as it is, and where there is no room.
    """
    if device.type != "cuda":
        return None
    size = images.shards[0].shape[1]
    free, _ = torch.cuda.mem_get_info(device)
    if len(images.shard) * size * size > RESIDENT_SHARE * free:
        return None
    return load_images(images, device)


def load_images(images: Images, device: torch.device) -> Tensor:
    """Copies all images to a device, uint8 [n, size, size], a part at a time."""
    count, size = len(images.shard), images.shards[0].shape[1]
    held = torch.empty((count, size, size), dtype=torch.uint8, device=device)
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        held[start : start + len(rows)] = torch.from_numpy(images.take(rows)).to(device)
    return held


def repeats(
    truth: NDArray[np.int64], labels: tuple[str, ...], section: TrainSection
) -> NDArray[np.float64]:
    """Returns float [kinds], how often an image of each kind is shown an epoch.

    Args:
        truth: int64 [n], the kind of each training image.
        labels: the kinds.
        section: the recipe's training.
    """
    counts = np.bincount(truth, minlength=len(labels))
    if section.oversample == "none":
        return np.ones(len(labels))
    if section.oversample == "balanced":
        return np.asarray(counts.max() / counts, np.float64)
    given = section.oversample
    return np.array([given.get(label, 1.0) for label in labels])


class Sampling(NamedTuple):
    """How often training images are shown an epoch.

    Attributes:
        kind: int64 [n], the kind of each image: its class, or its source and class.
        times: float64 [kinds], how often an image of each kind is shown.
    """

    kind: NDArray[np.int64]
    times: NDArray[np.float64]


def epoch_length(sampling: Sampling) -> int:
    """Returns how many images an epoch shows, the same in each."""
    counts = np.bincount(sampling.kind, minlength=len(sampling.times))
    return int(np.floor(counts * sampling.times + 0.5).sum())


def epoch_rows(sampling: Sampling, generator: np.random.Generator) -> NDArray[np.intp]:
    """Returns the training images of an epoch in random order.

    Each image of a kind is shown as often as the whole part of its kind's `times`; the part over
    it is made up by images of the kind drawn without replacement.

    Args:
        sampling: how often each image is shown.
        generator: draws the images and the order.
    """
    rows = []
    for number, share in enumerate(sampling.times):
        members = np.flatnonzero(sampling.kind == number)
        whole, wanted = int(share), int(np.floor(len(members) * share + 0.5))
        extra = wanted - whole * len(members)
        rows += [np.repeat(members, whole), generator.choice(members, extra, replace=False)]
    return generator.permutation(np.sort(np.concatenate(rows)))
