"""Which images belong together: copies of one another, and those of one patient."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pulmo.datasets.manifest import Manifest
from pulmo.datasets.source import Problem

_CONTENT: Final = ["sha256", "pixels_sha256"]


def group(manifest: Manifest, *, keep: bool = False) -> Manifest:
    """Returns the manifest with `group` filled in.

    Two images are in one group if they show the same patient of the same source, are the same
    file or decode to the same pixels, and so on along a chain of such pairs. A group is named after
    its first patient or image.

    Args:
        manifest: the images.
        keep: whether images that are in one group already stay in one.
    """
    table, patients = manifest.frame, manifest.patients
    keys = [patients, *(table[name] for name in _CONTENT), *([table["group"]] if keep else [])]
    component = _components(len(table), keys)
    names = _first(patients, component)
    content = _first(table["sha256"], component).str[:16]
    return manifest.with_columns(group=names.fillna(content).astype(table["group"].dtype))


def contradictions(manifest: Manifest) -> Iterator[Problem]:
    """Yields a problem for each image of which a copy, by bytes or pixels, has another label."""
    table = manifest.frame
    component = _components(len(table), (table[name] for name in _CONTENT))
    shared = np.bincount(component, minlength=1)[component] > 1
    copies, key = table.loc[shared, ["path", "label"]], component[shared]
    doubtful = (copies["label"].groupby(key).transform("nunique") > 1).to_numpy()
    copies, key = copies[doubtful], key[doubtful]
    first = copies.groupby(key).transform("first")
    differs = (copies["label"] != first["label"]).to_numpy()
    second = copies[differs].groupby(key[differs]).first().loc[key].set_axis(copies.index)
    others = first.where(pd.Series(differs, copies.index), second)
    for row, other in zip(copies.itertuples(), others.itertuples(), strict=True):
        reason = f"it is labelled {row.label}, and its copy {other.label}: {other.path}"
        yield Problem(str(row.path), reason)


def _components(count: int, keys: Iterable[pd.Series]) -> NDArray[np.intp]:
    """Returns a number for each of `count` rows: equal for rows that chains of equal keys tie."""
    rows: list[NDArray[np.intp]] = []
    nodes: list[NDArray[np.intp]] = []
    top = count
    for key in keys:
        codes = pd.factorize(key)[0]
        known = np.flatnonzero(codes >= 0)
        # A key that no other row has ties nothing.
        tied = known[np.bincount(codes[known], minlength=1)[codes[known]] > 1]
        rows.append(tied)
        nodes.append(top + codes[tied])
        top += codes.max(initial=-1) + 1
    # A graph of two kinds of nodes: rows, and the keys that they have.
    places: Any = (np.concatenate(rows), np.concatenate(nodes))
    links = coo_array((np.ones(len(places[0]), np.int8), places), shape=(top, top))
    return connected_components(links, directed=False)[1][:count].astype(np.intp)


def _first(names: pd.Series, component: NDArray[np.intp]) -> pd.Series:
    """Returns the first name, by their order, of each row's component."""
    shared = np.bincount(component, minlength=1)[component] > 1
    least = names[shared].groupby(component[shared]).transform("min")
    return names.where(~shared, least.reindex(names.index))
