"""Sources and hospitals held apart: one left out as the test, or groups that tie them together."""

from difflib import get_close_matches

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pulmo.core.errors import UsageError
from pulmo.datasets.split.draw import Shares, Sides, draw_sides


def leave_out(
    table: pd.DataFrame, source: str, val: float, generator: np.random.Generator
) -> Sides:
    """Makes a source the test; the others are drawn into training and validation.

    The other sources' images whose origin it is, or in whose group it has images, take no part.

    Args:
        table: rows of a manifest, each with an index of its own.
        source: the source to leave out.
        val: the fraction of the others that validation gets.
        generator: draws the order of the groups.

    Raises:
        UsageError: there is no such source or no other, or `val` is no fraction.
    """
    known = sorted(table["source"].unique())
    if source not in known:
        near = get_close_matches(source, known, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise UsageError(
            "source-unknown",
            f"The manifest has no source {source!r}; it has {', '.join(known)}.{hint}",
        )
    if len(known) == 1:
        raise UsageError(
            "training-without-source",
            f"All images are of {source}, so that no image is left for training without it.",
        )
    test = table["source"] == source
    tied = ~test & table["group"].isin(table["group"][test])
    taken = ~test & ~tied & (table["origin"] == source).fillna(value=False)
    drawn = draw_sides(table[~test & ~tied & ~taken], Shares(val, 0), generator)
    split = drawn.split.reindex(table.index).mask(test, "test")
    reason = pd.Series(pd.NA, table.index, dtype="string")
    reason = reason.mask(tied, f"in a group with images of {source}")
    return Sides(split, reason.mask(taken, f"its source has it from {source}"))


def spans_sources(table: pd.DataFrame) -> pd.Series:
    """Returns which rows are in a group that holds images of several sources."""
    return table.groupby("group")["source"].transform("nunique") > 1


def tie_origins(table: pd.DataFrame) -> pd.Series:
    """Returns groups that hold all images of an origin: of a hospital or publication in a source.

    Groups that share an origin become one, and so do origins that share a group. An image without
    an origin stays with its group.

    Args:
        table: rows of a manifest.

    Returns:
        The name of one of the groups that were tied, for each row.
    """
    group, names = pd.factorize(table["group"], sort=True)
    place = (table["source"] + "\0" + table["origin"]).astype("string")
    origin, origins = pd.factorize(place)
    known = origin >= 0
    size = len(names) + len(origins)
    edges = (group[known], origin[known] + len(names))
    links = coo_array((np.ones(int(known.sum()), np.int8), edges), shape=(size, size))
    _, part = connected_components(links, directed=False)
    first = pd.Series(names).groupby(part[: len(names)]).transform("first")
    return pd.Series(first.to_numpy()[group], index=table.index, dtype=table["group"].dtype)
