"""What a recipe takes of a manifest, decoded and counted."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError, RefusedError
from pulmo.core.recipe import Recipe
from pulmo.core.sections import DataSection
from pulmo.datasets.cache import Pictures, cached_pictures
from pulmo.datasets.modality import count_kinds, rows_of, stated_kinds
from pulmo.datasets.split import check_split


class Material(NamedTuple):
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
) -> Material:
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
    return Material(
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
