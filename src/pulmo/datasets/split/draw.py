"""Train, validation and test, drawn by group or kept as their sources publish them."""

from collections.abc import Collection
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd

from pulmo.core.errors import InputError, UsageError
from pulmo.datasets.manifest import SPLITS, Manifest
from pulmo.datasets.split.assign import Tally, deal, draw_order

Keep = Literal["nothing", "test", "all"]
"""Which of the sides that sources state are kept."""

_KEPT: Final[dict[Keep, tuple[str, ...]]] = {"nothing": (), "test": ("test",), "all": SPLITS}


class Shares(NamedTuple):
    """The fractions of the images that validation and test get; training gets the rest."""

    val: float = 0.15
    test: float = 0.15


class Sides(NamedTuple):
    """Where each row of a manifest goes.

    Attributes:
        split: train, val, test or null, by the rows' index.
        reason: why a row with a null split takes no part, as a sentence's end; else null.
    """

    split: pd.Series
    reason: pd.Series


def split_manifest(
    manifest: Manifest, shares: Shares, generator: np.random.Generator, *, keep: Keep = "nothing"
) -> Manifest:
    """Returns the manifest with the split that `draw_sides` gives, and without folds.

    Raises:
        UsageError: the fractions leave nothing for training.
        InputError: there is nothing to keep.
    """
    sides = draw_sides(manifest.frame, shares, generator, keep=keep)
    return manifest.with_columns(split=sides.split, fold=None)


def draw_sides(
    table: pd.DataFrame, shares: Shares, generator: np.random.Generator, *, keep: Keep = "nothing"
) -> Sides:
    """Draws sides by group, stratified by label and source at once.

    Groups come in random order, large ones first, and each goes to the side that lacks most of
    its strata. The same manifest and generator state give the same split, whatever the row order.
    All groups are drawn at once, so that one that spans sources is on one side like any other.

    Images that are kept stay where their source has them. In a group that its sources put on
    several sides only those on the most withheld one (test, then validation) stay; every other
    image of a group with a kept one takes no part.

    Args:
        table: rows of a manifest, each with an index of its own.
        shares: the fractions of validation and test.
        generator: draws the order of the groups.
        keep: test: the images whose source calls them test are kept. The other groups of such a
            source get no test, and training and validation in the proportion that they have
            elsewhere; sources without such a test get one drawn. all: every stated side is kept;
            what such a source does not put on a side takes no part. Sources that state no side are
            drawn.

    Raises:
        UsageError: the fractions leave nothing for training, or are less than one image.
        InputError: sides are to be kept, but no source states one of them.
    """
    # Written so that a share that is not a number does not pass.
    if not (shares.val >= 0 and shares.test >= 0 and shares.val + shares.test < 1):
        raise UsageError(
            "split-shares-invalid",
            f"The validation share {shares.val} and the test share {shares.test} must be "
            "fractions that leave some images for training.",
        )
    for side, share in (("val", shares.val), ("test", shares.test)):
        if 0 < share * len(table) < 1:
            raise UsageError(
                "split-share-too-small",
                f"The {side} fraction {share:g} of {len(table)} images is less than one image.",
            )
    kept = _kept(table, keep)
    if keep != "nothing" and kept.stated.isna().all():
        what = "split" if keep == "all" else "test"
        raise InputError(
            "published-split-missing",
            f"No source of the manifest publishes a {what}, so none can be kept.",
        )
    sides = _draw(table[kept.free], shares, kept.without_test, generator)
    drawn = table["group"].map(sides).astype("string").where(kept.free)
    reason = pd.Series(pd.NA, table.index, dtype="string")
    reason[kept.tied & ~kept.stays] = "in a group with images that are kept on another side"
    reason[~kept.tied & ~kept.free] = "its source publishes a split that does not contain it"
    return Sides(kept.stated.where(kept.stays, drawn), reason)


def undrawn(manifest: Manifest, keep: Keep) -> tuple[Literal["val", "test"], ...]:
    """Returns the sides of which `draw_sides` draws nothing, since what is kept leaves no group."""
    kept = _kept(manifest.frame, keep)
    groups = manifest.groups[kept.free]
    if groups.empty:
        return ("val", "test")
    return ("test",) if groups.isin(kept.without_test).all() else ()


class _Kept(NamedTuple):
    """What keeping stated sides means for each row.

    Attributes:
        stated: the stated side, if it is one that is kept; else null.
        tied: whether the row is in a group with a stated side.
        stays: whether the row stays where it is stated to be.
        free: whether the row's side is drawn.
        without_test: the groups that are not drawn to the test.
    """

    stated: pd.Series
    tied: pd.Series
    stays: pd.Series
    free: pd.Series
    without_test: Collection[str]


def _kept(table: pd.DataFrame, keep: Keep) -> _Kept:
    stated = table["split"].where(table["split"].isin(_KEPT[keep]))
    rank = stated.map({"train": 0, "val": 1, "test": 2}).astype("Float64")
    withheld = rank.groupby(table["group"]).transform("max")
    stays = (rank == withheld).fillna(value=False)
    stating = table["source"].isin(table["source"][stated.notna()])
    free = withheld.isna() & ~(stating & (keep == "all"))
    without_test = table["group"][stating].unique().tolist()
    return _Kept(stated, withheld.notna(), stays, free, without_test)


def _draw(
    table: pd.DataFrame,
    shares: Shares,
    without_test: Collection[str],
    generator: np.random.Generator,
) -> pd.Series:
    """Returns the side of each group of `table`, by the group's name.

    Args:
        table: rows of a manifest.
        shares: the fractions of validation and test.
        without_test: the groups that are not for the test.
        generator: draws the order of the groups.
    """
    tally = Tally.of(table)
    fractions = np.array([1 - shares.val - shares.test, shares.val, shares.test])
    untested = np.array([1 - shares.val - shares.test, shares.val, 0]) / (1 - shares.test)
    untestable = pd.Index(tally.names).isin(without_test)
    aims = np.where(untestable[:, np.newaxis], untested, fractions)
    sides = deal(tally, aims, draw_order(tally, generator))
    return pd.Series(np.array(SPLITS, object)[sides], index=tally.names, dtype="string")
