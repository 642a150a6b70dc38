"""Splits that keep every group on one side."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.tables import SPLITS, check_manifest


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

    Args:
        table: a manifest.
        shares: the fractions of validation and test.
        generator: draws the order of the groups.
        keep_test: keep the pictures whose source calls them test as the test of that source, and
            leave out (null split) every other picture of their groups; sources without such a
            test get one drawn.

    Raises:
        UsageError: the fractions leave nothing for training.
    """
    # Written so that a share that is not a number does not pass.
    if not (shares.val >= 0 and shares.test >= 0 and shares.val + shares.test < 1):
        raise UsageError(
            f"Validation {shares.val} and test {shares.test} must be fractions that leave some "
            "pictures for training."
        )
    official = (table["split"] == "test").fillna(value=False) if keep_test else None
    table = table.assign(split=None)
    if official is None:
        return _draw(table, shares, generator)
    has_test = table["source"].isin(table["source"][official])
    held = table["group"].isin(table["group"][official])
    parts = [
        table[official].assign(split="test"),
        table[held & ~official],
        _draw(table[has_test & ~held], Shares(shares.val, 0.0), generator),
        _draw(table[~has_test & ~held], shares, generator),
    ]
    return check_manifest(pd.concat([part for part in parts if len(part)]).sort_index())


def check_split(table: pd.DataFrame) -> None:
    """Refuses a manifest that has one patient or one picture on two sides.

    Raises:
        RefusedError: it leaks; the message names groups and files.
    """
    used = table[table["split"].notna()]
    for column, what in (("group", "group"), ("sha256", "identical picture")):
        sides = used.groupby(column)["split"].nunique()
        leaks = sides.index[sides > 1]
        if len(leaks):
            rows = used[used[column].isin(leaks[:3])].sort_values([column, "split"])
            named = ", ".join(f"{row.path} ({row.split})" for row in rows.head(6).itertuples())
            raise RefusedError(
                f"The split leaks: {len(leaks)} {what}{'s are' if len(leaks) > 1 else ' is'} on "
                f"two sides, such as {named}. Make it anew with: pulmo data split."
            )


def _draw(table: pd.DataFrame, shares: Shares, generator: np.random.Generator) -> pd.DataFrame:
    """Fills `split` of every row of `table`."""
    strata = pd.get_dummies(table["label"] + "\0" + table["source"]).astype(float)
    counts = strata.groupby(table["group"].to_numpy()).sum()
    order = generator.permutation(len(counts))
    order = order[np.argsort(-counts.to_numpy().sum(axis=1)[order], kind="stable")]
    fractions = np.array([1 - shares.val - shares.test, shares.val, shares.test])
    sides = np.empty(len(counts), int)
    sides[order] = _assign(counts.to_numpy()[order], fractions)
    side = pd.Series(np.array(SPLITS)[sides], index=counts.index)
    return table.assign(split=table["group"].map(side))


def _assign(counts: NDArray[np.float64], fractions: NDArray[np.float64]) -> NDArray[np.intp]:
    """Returns the side of each group.

    Args:
        counts: float [groups, strata], pictures of each stratum in each group.
        fractions: float [sides], the share that each side aims at.
    """
    target = np.outer(fractions, counts.sum(axis=0))
    missing = target.copy()
    weight = np.divide(1, target, out=np.zeros_like(target), where=target > 0)
    sides = np.empty(len(counts), np.intp)
    for number, group in enumerate(counts):
        touched = group > 0
        need = (missing * weight)[:, touched] @ group[touched]
        need[fractions == 0] = -np.inf
        sides[number] = need.argmax()
        missing[sides[number]] -= group
    return sides
