"""All pairs of copies in a manifest: exact ones by their hashes, the others by a closer look."""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from pulmo.core.parallel import in_threads
from pulmo.datasets.curate.candidates import candidates
from pulmo.datasets.curate.gallery import Gallery
from pulmo.datasets.curate.look import Looks, Progress
from pulmo.datasets.curate.verify import Evidence, compare


class Copy(NamedTuple):
    """Two rows of a manifest that show the same image.

    Attributes:
        row: the later row.
        other: the earlier row.
        reason: how the two are the same.
        evidence: what was measured; None where the bytes or the pixels are equal.
    """

    row: int
    other: int
    reason: str
    evidence: Evidence | None = None


def exact_copies(table: pd.DataFrame) -> Iterator[Copy]:
    """Yields each row whose bytes or decoded pixels an earlier row has.

    Args:
        table: a manifest whose index counts its rows; `pixels_sha256` may be null.
    """
    rows = pd.Series(table.index, table.index)
    same_file = rows.groupby(table["sha256"]).transform("first")
    for row in rows[rows != same_file]:
        yield Copy(int(row), int(same_file[row]), "same file")
    files = rows[rows == same_file]
    same_pixels = files.groupby(table["pixels_sha256"].loc[files]).transform("first").dropna()
    for row in same_pixels.index[same_pixels != same_pixels.index]:
        yield Copy(int(row), int(same_pixels[row]), "same pixels")


def near_copies(
    gallery: Gallery, looks: Looks, on_progress: Progress | None = None
) -> Iterator[Copy]:
    """Yields the pairs of images that fit on each other after a crop, a turn and so on.

    Args:
        gallery: the images, without exact copies.
        looks: which rows they are of.
        on_progress: called with the pairs compared and the pairs in all.
    """

    def evidence_of(pair: NDArray[np.int64]) -> Evidence | None:
        first, second, mirrored = pair.tolist()
        return compare(gallery[first], gallery[second], mirrored=bool(mirrored))

    pairs = candidates(gallery)
    best: dict[tuple[int, int], Evidence] = {}
    with closing(in_threads(evidence_of, pairs)) as results:
        for done, (pair, found) in enumerate(zip(pairs, results, strict=True), start=1):
            if found and found.copies:
                # The straight one comes first; an image that is its own mirror image is rare.
                best.setdefault((looks.rows[pair[0]], looks.rows[pair[1]]), found)
            if on_progress:
                on_progress(done, len(pairs))
    for (first, second), evidence in best.items():
        reason = "near copy, mirrored" if evidence.mirrored else "near copy"
        yield Copy(second, first, reason, evidence)


def components(count: int, ties: Iterable[tuple[int, int]]) -> NDArray[np.intp]:
    """Returns a number for each of `count` rows: equal for rows that a chain of ties joins."""
    pairs = np.array([*ties], np.intp).reshape(-1, 2)
    ones = np.ones(len(pairs), np.int8)
    graph = coo_array((ones, (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], np.intp)
