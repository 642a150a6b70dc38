"""Groups dealt to sides, so that every side gets its share of every stratum."""

from typing import Final, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_PASSES: Final = 5


class Tally(NamedTuple):
    """How many images of each stratum each group holds, as the rows of a sparse matrix.

    A stratum is a label of a source. The groups are sorted by name, so that nothing depends on the
    order of a manifest's rows.

    Attributes:
        names: object [groups], the groups.
        start: int [groups + 1], where each group's entries begin.
        strata: int [entries], a stratum that the group holds.
        counts: float64 [entries], its images of that stratum.
    """

    names: NDArray[np.object_]
    start: NDArray[np.intp]
    strata: NDArray[np.intp]
    counts: NDArray[np.float64]

    @classmethod
    def of(cls, table: pd.DataFrame) -> Self:
        """Counts the rows of a manifest."""
        group, names = pd.factorize(table["group"], sort=True)
        stratum, kinds = pd.factorize(table["label"] + "\0" + table["source"], sort=True)
        cells, counts = np.unique(group * np.intp(len(kinds)) + stratum, return_counts=True)
        owner, strata = np.divmod(cells, max(1, len(kinds)))
        start = np.searchsorted(owner, np.arange(len(names) + 1))
        return cls(names.to_numpy(object), start, strata, counts.astype(np.float64))

    @property
    def sizes(self) -> NDArray[np.float64]:
        """Float64 [groups], the images of each group."""
        return np.add.reduceat(self.counts, self.start[:-1]) if len(self.names) else self.counts

    def entries(self, group: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Returns the strata of a group and its images of each."""
        place = slice(self.start[group], self.start[group + 1])
        return self.strata[place], self.counts[place]

    def totals(self, groups: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Returns float64 [strata], the images of each stratum in the groups of a mask."""
        kept = np.repeat(groups, np.diff(self.start))
        strata = self.strata.max(initial=-1) + 1
        return np.bincount(self.strata, self.counts * kept, strata).astype(np.float64)


def draw_order(tally: Tally, generator: np.random.Generator) -> NDArray[np.intp]:
    """Returns int [groups], the groups in random order, large ones first."""
    order = generator.permutation(len(tally.names))
    return order[np.argsort(-tally.sizes[order], kind="stable")]


def deal(tally: Tally, aims: NDArray[np.float64], order: NDArray[np.intp]) -> NDArray[np.intp]:
    """Returns int [groups], the side of each: the one that lacks most of its strata.

    Args:
        tally: the groups.
        aims: float [groups, sides], the share of each group that each side aims at; a side gets
            none of the groups of which it aims at 0.
        order: int [groups], in which order they are dealt.
    """
    missing = np.zeros((aims.shape[1], tally.strata.max(initial=-1) + 1))
    for aim in np.unique(aims, axis=0):
        missing += np.outer(aim, tally.totals((aims == aim).all(axis=1)))
    weight = np.divide(1, missing, out=np.zeros_like(missing), where=missing > 0)
    sides = np.empty(len(order), np.intp)
    for group in order:
        strata, counts = tally.entries(group)
        need = (missing[:, strata] * weight[:, strata]) @ counts
        need[aims[group] == 0] = -np.inf
        sides[group] = need.argmax()
        missing[sides[group], strata] -= counts
    return sides


def even_out(
    tally: Tally, sides: NDArray[np.intp], count: int, order: NDArray[np.intp]
) -> NDArray[np.intp]:
    """Returns int [groups], sides of equal aims after each group could move to a better one.

    A move lowers the sum over sides and strata of (images - aim)² / aim or, where it is the same
    on both sides, the difference of their sizes. Groups move one by one until none wants to.

    Args:
        tally: the groups.
        sides: int [groups], the side of each, 0 to `count` - 1.
        count: the number of sides.
        order: int [groups], in which order they are asked.
    """
    sides, total = sides.copy(), tally.totals(np.ones(len(sides), bool))
    missing = np.tile(total / count, (count, 1))
    np.subtract.at(missing, (np.repeat(sides, np.diff(tally.start)), tally.strata), tally.counts)
    room = missing.sum(axis=1)
    for _ in range(_PASSES):
        before = sides.copy()
        for group in order:
            strata, counts = tally.entries(group)
            missing[sides[group], strata] += counts
            room[sides[group]] += counts.sum()
            need = missing[:, strata] @ (counts / total[strata])
            sides[group] = _neediest(need, room, sides[group])
            missing[sides[group], strata] -= counts
            room[sides[group]] -= counts.sum()
        if (sides == before).all():
            break
    return sides


def unevenness(tally: Tally, sides: NDArray[np.intp], count: int) -> float:
    """Returns what `even_out` lowers: the sum of (images - aim)² / aim, 0 if all are even."""
    images = np.zeros((count, tally.strata.max(initial=-1) + 1))
    np.add.at(images, (np.repeat(sides, np.diff(tally.start)), tally.strata), tally.counts)
    aim = images.sum(axis=0) / count
    return float(((images - aim) ** 2 / aim).sum())


def _neediest(need: NDArray[np.float64], room: NDArray[np.float64], now: np.intp) -> np.intp:
    """Returns the side with the greatest need and, among equals, the most room; `now` if it can."""
    # The last bits of sums must decide nothing.
    equals = np.flatnonzero(need >= need.max() - 1e-9)
    best = equals[room[equals].argmax()]
    stays = now in equals and room[now] >= room[best] - 1e-9
    return now if stays else best
