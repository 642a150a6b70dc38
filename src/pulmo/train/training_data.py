"""Training data: what a recipe takes of a manifest, decoded, and what each epoch shows of it."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.recipe import Recipe
from pulmo.core.sections import DataSection
from pulmo.core.training import TrainSection
from pulmo.datasets.cache import Pictures, cached_pictures
from pulmo.datasets.modality import count_kinds, rows_of, stated_kinds
from pulmo.datasets.split import check_split

RESIDENT_SHARE: Final = 0.5
"""Part of a GPU's free memory that images may take; the rest is for the network and gradients."""

_CHUNK: Final = 1024


class TrainingData(NamedTuple):
    """The training and validation pictures of a run.

    Attributes:
        table: their rows of the manifest.
        pictures: their inputs.
        truth: int64 [n], the class of each row.
        train: int [..], the rows to train on.
        val: int [..], the rows to choose by.
    """

    table: pd.DataFrame
    pictures: Pictures
    truth: NDArray[np.int64]
    train: NDArray[np.intp]
    val: NDArray[np.intp]


def gather(
    recipe: Recipe,
    manifest: pd.DataFrame,
    cache: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrainingData:
    """Takes the pictures that the recipe uses; those of the test split are not opened.

    Raises:
        RefusedError: the split leaks, or the pictures are of several modalities that the recipe
            does not name.
        InputError: the manifest has no split, or a class has no picture on one side.
    """
    check_split(manifest)
    table = filtered(recipe.data, manifest)
    table = table[table["split"].isin(["train", "val"])]
    classes = [recipe.labels.index(label) for label in table["label"]]
    known = np.array([number is not None for number in classes], bool)
    table = table[known].reset_index(drop=True)
    _check_modality(recipe.data, table)
    truth = np.array([number for number in classes if number is not None], np.int64)
    _check_classes(recipe, table, truth)
    pictures = cached_pictures(table, recipe.image, cache, on_progress)
    side = table["split"].to_numpy(str)
    return TrainingData(
        table, pictures, truth, np.flatnonzero(side == "train"), np.flatnonzero(side == "val")
    )


def filtered(section: DataSection, manifest: pd.DataFrame) -> pd.DataFrame:
    """Returns the rows whose source, view and modality the recipe names; unknown is not named."""
    keep = pd.Series(data=True, index=manifest.index)
    for column, allowed in (("source", section.sources), ("view", section.views)):
        if allowed:
            keep &= manifest[column].isin(allowed)
    if section.modalities:
        keep &= rows_of(manifest, section.modalities)
    return manifest[keep]


def class_counts(truth: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Returns int64 [classes], the pictures of each class."""
    return np.bincount(truth, minlength=classes).astype(np.int64)


def _check_classes(recipe: Recipe, table: pd.DataFrame, truth: NDArray[np.int64]) -> None:
    for split in ("train", "val"):
        side = (table["split"] == split).to_numpy(bool)
        counts = class_counts(truth[side], len(recipe.labels.order))
        empty = [label for label, n in zip(recipe.labels.order, counts, strict=True) if n == 0]
        if empty:
            raise InputError(
                f"The manifest has no {split} picture of {', '.join(empty)} that the recipe "
                f"{recipe.name!r} may use. Split it with: pulmo data split; or choose other "
                "labels with --set labels.order=[...]."
            )


def _check_modality(section: DataSection, table: pd.DataFrame) -> None:
    """Refuses pictures of several modalities that the recipe does not name.

    What tells an X-ray from a CT slice would tell any classes that they do not share.
    """
    stated = stated_kinds(table)
    if len(stated) > 1 and not section.modalities:
        choices = " or ".join(_setting([name]) for name in stated)
        raise RefusedError(
            f"The pictures to train on are of several modalities: {count_kinds(table)}. Choose one "
            f"with {choices}, or mix them on purpose with {_setting(stated)}."
        )


def _setting(modalities: Sequence[str]) -> str:
    return f"--set 'data.modalities={json.dumps(modalities)}'"


def resident_pictures(pictures: Pictures, device: torch.device) -> Tensor | None:
    """Returns uint8 [n, size, size] in a GPU's memory, so that a step takes its batch by an index.

    Neither a disk nor the bus between processor and GPU is waited for then. None on a processor,
    where the cache is mapped into memory as it is, and where there is no room.
    """
    if device.type != "cuda":
        return None
    size = pictures.shards[0].shape[1]
    free, _ = torch.cuda.mem_get_info(device)
    if len(pictures.shard) * size * size > RESIDENT_SHARE * free:
        return None
    return load_pictures(pictures, device)


def load_pictures(pictures: Pictures, device: torch.device) -> Tensor:
    """Copies all pictures to a device, uint8 [n, size, size], a part at a time."""
    count, size = len(pictures.shard), pictures.shards[0].shape[1]
    held = torch.empty((count, size, size), dtype=torch.uint8, device=device)
    for start in range(0, count, _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, count))
        held[start : start + len(rows)] = torch.from_numpy(pictures.take(rows)).to(device)
    return held


def repeats(
    truth: NDArray[np.int64], labels: tuple[str, ...], section: TrainSection
) -> NDArray[np.float64]:
    """Returns float [classes], how often a picture of each class is shown an epoch.

    Args:
        truth: int64 [n], the class of each training picture.
        labels: the classes.
        section: the recipe's training.
    """
    counts = np.bincount(truth, minlength=len(labels))
    if section.oversample == "none":
        return np.ones(len(labels))
    if section.oversample == "balanced":
        return np.asarray(counts.max() / counts, np.float64)
    given = section.oversample
    return np.array([given.get(label, 1.0) for label in labels])


def epoch_length(truth: NDArray[np.int64], times: NDArray[np.float64]) -> int:
    """Returns how many pictures an epoch shows, the same in each."""
    return int(np.floor(np.bincount(truth, minlength=len(times)) * times + 0.5).sum())


def epoch_rows(
    truth: NDArray[np.int64], times: NDArray[np.float64], generator: np.random.Generator
) -> NDArray[np.intp]:
    """Returns the training pictures of an epoch in random order.

    Each picture of a class is shown as often as the whole part of its class's `times`; the part
    over it is made up by pictures of the class drawn without replacement.

    Args:
        truth: int64 [n], the class of each training picture.
        times: float [classes], at least one each.
        generator: draws the pictures and the order.
    """
    rows = []
    for number, share in enumerate(times):
        members = np.flatnonzero(truth == number)
        whole, wanted = int(share), int(np.floor(len(members) * share + 0.5))
        extra = wanted - whole * len(members)
        rows += [np.repeat(members, whole), generator.choice(members, extra, replace=False)]
    return generator.permutation(np.sort(np.concatenate(rows)))
