"""Splits that keep every group on one side."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.tables import SPLITS, check_manifest, patient_names


class Shares(NamedTuple):
    """The fractions of the pictures that validation and test get; training gets the rest."""

    val: float = 0.15
    test: float = 0.15


def split_manifest(
    table: pd.DataFrame, shares: Shares, generator: np.random.Generator, *, keep_test: bool = False
) -> pd.DataFrame:
    """Returns the manifest with `split` drawn by group, stratified by label and source at once.

    Groups come in random order, large ones first, and each goes to the side that lacks most of
    its strata. The same manifest and generator state give the same split, whatever the row order.
    All groups are drawn at once, so that one that spans sources is on one side like any other.

    Args:
        table: a manifest.
        shares: the fractions of validation and test.
        generator: draws the order of the groups.
        keep_test: keep the pictures whose source calls them test as the test of that source, and
            leave out (null split) every other picture of their groups. The other groups of such
            a source get no test, and training and validation in the proportion that they have
            elsewhere; sources without such a test get one drawn.

    Raises:
        UsageError: the fractions leave nothing for training.
    """
    # Written so that a share that is not a number does not pass.
    if not (shares.val >= 0 and shares.test >= 0 and shares.val + shares.test < 1):
        raise UsageError(
            f"Validation {shares.val} and test {shares.test} must be fractions that leave some "
            "pictures for training."
        )
    official = (table["split"] == "test").fillna(value=False) & keep_test
    has_test = table["source"].isin(table["source"][official])
    held = table["group"].isin(table["group"][official])
    without_test = table["group"][has_test].unique().tolist()
    sides = _draw(table[~held], shares, without_test, generator)
    drawn = table["group"].map(sides).astype("string")
    return check_manifest(table.assign(split=drawn.mask(official, "test")))


def check_split(table: pd.DataFrame) -> None:
    """Refuses a manifest that has one group, one patient of a source or one picture on two sides.

    Raises:
        RefusedError: it leaks; the message names what is on two sides, and files.
    """
    used = table[table["split"].notna()]
    anew = "Make the split anew with: pulmo data split."
    regroup = f"The groups are wrong: make them anew with pulmo data merge first. {anew}"
    _check_sides(used, used["group"], "group", anew)
    _check_sides(used, patient_names(used), "patient", regroup)
    _check_sides(used, used["sha256"], "identical picture", regroup)
    _check_sides(used, used["pixels_sha256"], "picture of identical pixels", regroup)


def _check_sides(used: pd.DataFrame, keys: pd.Series, what: str, remedy: str) -> None:
    """Refuses rows of one key, where it is not null, on two sides."""
    sides = used.groupby(keys)["split"].nunique()
    leaks = sides.index[sides > 1]
    if len(leaks):
        rows = used[keys == leaks[0]].sort_values("split").drop_duplicates("split")
        named = ", ".join(f"{row.path} ({row.split})" for row in rows.itertuples())
        raise RefusedError(
            f"The split leaks: {len(leaks)} {what}{'s are' if len(leaks) > 1 else ' is'} on two "
            f"sides, such as {leaks[0]}: {named}. {remedy}"
        )


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
    strata = pd.get_dummies(table["label"] + "\0" + table["source"]).astype(float)
    counts = strata.groupby(table["group"].to_numpy()).sum()
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts.to_numpy().sum(axis=1)[order], kind="stable")]
    fractions = np.array([1 - shares.val - shares.test, shares.val, shares.test])
    untested = np.array([1 - shares.val - shares.test, shares.val, 0]) / (1 - shares.test)
    aims = np.where(counts.index.isin(without_test)[:, np.newaxis], untested, fractions)
    sides = np.empty(len(counts), int)
    sides[order] = _assign(counts.to_numpy()[order], aims[order])
    return pd.Series(np.array(SPLITS)[sides], index=counts.index)


def _assign(counts: NDArray[np.float64], aims: NDArray[np.float64]) -> NDArray[np.intp]:
    """Returns the side of each group.

    Args:
        counts: float [groups, strata], pictures of each stratum in each group.
        aims: float [groups, sides], the share of each group that each side aims at; a side gets
            none of the groups of which it aims at 0.
    """
    target = np.zeros((aims.shape[1], counts.shape[1]))
    for aim in np.unique(aims, axis=0):
        target += np.outer(aim, counts[(aims == aim).all(axis=1)].sum(axis=0))
    missing = target.copy()
    weight = np.divide(1, target, out=np.zeros_like(target), where=target > 0)
    sides = np.empty(len(counts), np.intp)
    for number, group in enumerate(counts):
        touched = group > 0
        need = (missing * weight)[:, touched] @ group[touched]
        need[aims[number] == 0] = -np.inf
        sides[number] = need.argmax()
        missing[sides[number]] -= group
    return sides
