"""The folds of a manifest as splits: one is held out, the next one validates, the rest trains."""

from typing import Final

import pandas as pd

from pulmo.core.errors import InputError, UsageError
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.training_data import filtered

MIN_FOLDS: Final = 3
"""One fold is held out, one validates, and one is left to train on."""

HELD: Final = "test"
"""What the held-out fold is called in its own run's manifest."""


def usable(recipe: Recipe, manifest: Manifest) -> Manifest:
    """Returns the images that a recipe may use in a study: not those of the test.

    Raises:
        InputError: none is left.
    """
    images = manifest.select((manifest.frame["split"] != "test").fillna(value=True))
    images = filtered(recipe.data, images)
    images = images.select(images.classes(recipe.labels).notna())
    if not len(images):
        raise InputError(
            "training-images-missing",
            f"The manifest has no image outside its test set that the recipe {recipe.name!r} may "
            "use.",
        )
    return images


def count_folds(manifest: Manifest) -> int:
    """Returns the number K of folds, which are numbered from 0 to K - 1.

    Args:
        manifest: the images, without the test.

    Raises:
        UsageError: there are no folds, fewer than three, or numbers are left out.
    """
    found = sorted(int(fold) for fold in manifest.frame["fold"].dropna().unique())
    if not found:
        raise UsageError("folds-missing", "The manifest has no folds.")
    if found != list(range(len(found))) or len(found) < MIN_FOLDS:
        raise UsageError(
            "folds-invalid",
            f"The folds of the manifest are numbered {', '.join(map(str, found))}; expected 0 to "
            f"K - 1, with K of at least {MIN_FOLDS}: one is held out, one validates and the rest "
            "trains.",
        )
    return len(found)


def fold_split(manifest: Manifest, held: int, count: int) -> Manifest:
    """Returns the images that have a fold, with the split that holds one fold out.

    Args:
        manifest: the images, without the test.
        held: the fold that is held out; its split is `test`, that of the next one `val`.
        count: the number of folds.
    """
    images = manifest.select(manifest.frame["fold"].notna())
    fold = images.frame["fold"].astype(int)
    split = pd.Series("train", index=fold.index, dtype="string")
    split = split.mask(fold == (held + 1) % count, "val").mask(fold == held, HELD)
    return images.with_columns(split=split)
