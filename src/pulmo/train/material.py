"""What a recipe takes of a manifest, decoded and counted."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.recipe import Recipe
from pulmo.core.sections import DataSection
from pulmo.datasets.cache import Pictures, cached_pictures
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.modality import count_kinds, stated_kinds
from pulmo.datasets.split import check_split


class Material(NamedTuple):
    """The training and validation pictures of a run.

    Attributes:
        manifest: what is known of them.
        pictures: their inputs.
        truth: int64 [n], the class of each row.
        train: int [..], the rows to train on.
        val: int [..], the rows to choose by.
    """

    manifest: Manifest
    pictures: Pictures
    truth: NDArray[np.int64]
    train: NDArray[np.intp]
    val: NDArray[np.intp]


def gather(
    recipe: Recipe,
    manifest: Manifest,
    cache: Path,
    on_progress: Callable[[int, int], None] | None = None,
) -> Material:
    """Takes the pictures that the recipe uses; those of the test split are not opened.

    Raises:
        RefusedError: the split leaks, or the pictures are of several modalities that the recipe
            does not name.
        InputError: the manifest has no split, or a class has no picture on one side.
    """
    check_split(manifest)
    used = filtered(recipe.data, manifest).split("train", "val")
    used = used.select(used.classes(recipe.labels).notna())
    _check_modality(recipe.data, used)
    truth = np.asarray(used.classes(recipe.labels).cat.codes, np.int64)
    side = used.frame["split"].to_numpy(str)
    _check_classes(recipe, side, truth)
    pictures = cached_pictures(used, recipe.image, cache, on_progress)
    return Material(
        used, pictures, truth, np.flatnonzero(side == "train"), np.flatnonzero(side == "val")
    )


def filtered(section: DataSection, manifest: Manifest) -> Manifest:
    """Returns the images whose source, view and modality the recipe names, if it names any."""
    return manifest.filter(
        source=section.sources or None,
        view=section.views or None,
        modality=section.modalities or None,
    )


def class_counts(truth: NDArray[np.int64], classes: int) -> NDArray[np.int64]:
    """Returns int64 [classes], the pictures of each class."""
    return np.bincount(truth, minlength=classes).astype(np.int64)


def _check_classes(recipe: Recipe, side: NDArray[np.str_], truth: NDArray[np.int64]) -> None:
    for split in ("train", "val"):
        counts = class_counts(truth[side == split], len(recipe.labels.order))
        empty = [label for label, n in zip(recipe.labels.order, counts, strict=True) if n == 0]
        if empty:
            raise InputError(
                f"The manifest has no {split} picture of {', '.join(empty)} that the recipe "
                f"{recipe.name!r} may use. Split it with: pulmo data split; or choose other "
                "labels with --set labels.order=[...]."
            )


def _check_modality(section: DataSection, manifest: Manifest) -> None:
    """Refuses pictures of several modalities that the recipe does not name.

    What tells an X-ray from a CT slice would tell any classes that they do not share.
    """
    stated = stated_kinds(manifest)
    if len(stated) > 1 and not section.modalities:
        choices = " or ".join(_setting([name]) for name in stated)
        raise RefusedError(
            f"The images to train on are of several modalities: {count_kinds(manifest)}. Choose "
            f"one with {choices}, or mix them on purpose with {_setting(stated)}."
        )


def _setting(modalities: Sequence[str]) -> str:
    return f"--set 'data.modalities={json.dumps(modalities)}'"
