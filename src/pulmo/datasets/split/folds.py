"""Folds for cross-validation."""

from typing import Final

import numpy as np
import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.datasets.manifest import Manifest
from pulmo.datasets.split.assign import Tally, deal, draw_order, even_out, unevenness

_TRIES: Final = 20
_STEPS: Final = 10_000
"""At most so many orders are tried, and so many groups dealt in all or one order's."""


def draw_folds(table: pd.DataFrame, folds: int, generator: np.random.Generator) -> pd.Series:
    """Returns the fold of each row, 0 to `folds` - 1, by the rows' index.

    Drawn by group and stratified by label and source at once: dealt like the sides of a split,
    then evened out, because folds are held against each other. Where groups are few one unlucky
    order shows, so that several are drawn and the most even folds are taken. The same rows and
    generator state give the same folds, whatever the rows' order.

    Args:
        table: rows of a manifest.
        folds: how many.
        generator: draws the order of the groups.

    Raises:
        UsageError: there are fewer groups than folds.
    """
    tally = Tally.of(table)
    if len(tally.names) < folds:
        raise UsageError(
            "folds-too-many",
            f"{folds} folds need at least {folds} groups outside the test set, but there are "
            f"{len(tally.names)}.",
        )
    aims = np.full((len(tally.names), folds), 1 / folds)
    tries = []
    for _ in range(min(_TRIES, 1 + _STEPS // len(tally.names))):
        order = draw_order(tally, generator)
        tries.append(even_out(tally, deal(tally, aims, order), folds, order))
    places = min(tries, key=lambda sides: unevenness(tally, sides, folds))
    return table["group"].map(dict(zip(tally.names, places, strict=True))).astype("Int64")


def number_sources(table: pd.DataFrame) -> pd.Series:
    """Returns the fold of each row, one fold a source in the order of their names.

    Raises:
        UsageError: there are not two sources.
    """
    number, names = pd.factorize(table["source"], sort=True)
    if len(names) < 2:
        raise UsageError(
            "sources-too-few",
            "One fold per source needs at least two sources; there is "
            f"{', '.join(names) or 'none'}.",
        )
    return pd.Series(number, table.index, dtype="Int64")


def validate_on(manifest: Manifest, fold: int) -> Manifest:
    """Returns the manifest with this fold as validation and the other folds as training.

    Raises:
        UsageError: the manifest has no such fold.
    """
    table = manifest.frame
    known = table["fold"].dropna().unique()
    if fold not in known:
        has = f"its folds are 0 to {max(known)}" if len(known) else "it has no folds"
        raise UsageError("fold-unknown", f"There is no fold {fold} to validate on; {has}.")
    side = (table["fold"] == fold).map({True: "val", False: "train"}).astype("string")
    return manifest.with_columns(split=table["split"].where(table["fold"].isna(), side))
