"""Effective sources: what an image is from, as far as that may give its class away.

A set that is made of others is no hospital: where its covid images come from one origin and its
normal ones from another, telling them apart "within the set" is telling the origins apart. So a
data set of the user's own has the sources that are stated for its images, and where none is stated
their source is not known (`pulmo.core.sources`).
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pulmo.core.sources import are_stated, source_names


def effective_sources(rows: pd.DataFrame) -> NDArray[np.str_]:
    """Returns the source of each image, [n], or the part of it; empty if not stated.

    Origins of a source that share a class, directly or through others, are one part. If a source
    has several parts, each is named after the origin that most of its images are from, as
    `darkcovidnet (from cohen)`. Images without a stated origin have one in common.

    Args:
        rows: images with `source`, `class` and, where they are known, `origin` and `root`
            (nullable).
    """
    called = source_names(rows)
    names = called.where(are_stated(called), "").to_numpy(np.str_).astype(object)
    if "origin" not in rows:
        return names.astype(np.str_)
    origins = rows["origin"].astype("string").fillna("no stated origin").to_numpy(np.str_)
    classes = rows["class"].to_numpy(np.str_)
    for source in sorted({*names.tolist()} - {""}):
        inside = np.flatnonzero(names == source)
        parts = _linked(origins[inside], classes[inside])
        if parts.any():
            for part in np.unique(parts):
                mine = inside[parts == part]
                found, counts = np.unique(origins[mine], return_counts=True)
                more = f" and {len(found) - 1} more" if len(found) > 1 else ""
                names[mine] = f"{source} (from {found[counts.argmax()]}{more})"
    return names.astype(np.str_)


def _linked(origins: NDArray[np.str_], classes: NDArray[np.str_]) -> NDArray[np.intp]:
    """Numbers the parts of a source whose origins share no class, from 0, [n]."""
    found, first = np.unique(origins, return_inverse=True)
    labels, second = np.unique(classes, return_inverse=True)
    size = len(found) + len(labels)
    edges = coo_array((np.ones(len(first)), (first, second + len(found))), shape=(size, size))
    return np.asarray(connected_components(edges, directed=False)[1][first], np.intp)
