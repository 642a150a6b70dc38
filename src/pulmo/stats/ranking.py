"""Ranking: images sorted once by a score, so that thousands of reweightings cost no sorting."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.stats.weights import Floats, Weights, divide


class Ranked(NamedTuple):
    """What a ranking says of b reweightings.

    Attributes:
        wins: float64 [b, K], weighted number of pairs of an image of the class and one of each
            other class in which the former has the higher score; a tie counts half.
        pairs: float64 [b, K], weighted number of such pairs; 0 for the class itself.
        average_precision: float64 [b], NaN where the class or the others weigh nothing.
    """

    wins: Floats
    pairs: Floats
    average_precision: Floats


@dataclass(frozen=True, eq=False)
class Ranking:
    """The images of one class and those of each other class, each sorted by one score.

    Attributes:
        positives: rows of the class's images by rising score, [p].
        others: rows of the other images, class by class, each by rising score, [q].
        starts: where each class begins among the others, [K + 1]; the class itself has none.
        below: number of the others before the first of class j that is not below each positive,
            [K, p].
        tied: of each class, the positives that tie with some image of it.
        beyond: the same number as `below` for the first that is above each of those.
        first: number of positives with a lower score than each positive, [p].
    """

    positives: NDArray[np.intp]
    others: NDArray[np.intp]
    starts: NDArray[np.intp]
    below: NDArray[np.intp]
    tied: tuple[NDArray[np.intp], ...]
    beyond: tuple[NDArray[np.intp], ...]
    first: NDArray[np.intp]

    @classmethod
    def from_scores(
        cls, scores: Floats, classes: NDArray[np.intp], positive: int, count: int
    ) -> Self:
        """Sorts images by a score that is high for one class.

        Args:
            scores: [n].
            classes: class of each image, [n], from 0.
            positive: the class that the score is of.
            count: number of classes, K.
        """
        order = np.argsort(scores, kind="stable")
        sides = [order[classes[order] == number] for number in range(count)]
        positives, sides[positive] = sides[positive], np.empty(0, np.intp)
        starts = np.concatenate([[0], np.cumsum([len(side) for side in sides])])
        found = scores[positives]
        below, reached = (
            np.stack(
                [
                    start + np.searchsorted(scores[side], found, how)
                    for start, side in zip(starts, sides, strict=False)
                ]
            )
            for how in ("left", "right")
        )
        tied = tuple(np.flatnonzero(row) for row in reached > below)
        return cls(
            positives,
            np.concatenate(sides),
            starts,
            below,
            tied,
            beyond=tuple(row[which] for row, which in zip(reached, tied, strict=True)),
            first=np.searchsorted(found, found, "left"),
        )

    def rank(self, weights: Weights) -> Ranked:
        """Returns wins, pairs and average precision for each row of weights.

        The wins are Hanley and McNeil's (1982). The average precision is the mean over the
        positives of the precision at the positive's own score: the sum over thresholds of the step
        in recall times the precision, without interpolation.

        Args:
            weights: [b, n]; whole ones are counted without rounding, and faster.
        """
        found = np.take(weights, self.positives, axis=1)
        # Sums of one byte would overflow; those of whole numbers are several times faster.
        kind = np.float64 if np.issubdtype(weights.dtype, np.floating) else np.int64
        found = found.astype(kind)
        positive, other = _running_sum(found), _running_sum(np.take(weights, self.others, axis=1))
        whole = positive[:, -1:]
        passed = np.stack([np.take(other, row, axis=1) for row in self.below], axis=1)
        edges = np.take(other, self.starts, axis=1)
        wins = np.einsum("bp,bkp->bk", found, passed).astype(np.float64)
        wins -= whole * edges[:, :-1]
        for number, (tied, beyond) in enumerate(zip(self.tied, self.beyond, strict=True)):
            if len(tied):
                equal = np.take(other, beyond, axis=1) - np.take(passed[:, number], tied, axis=1)
                wins[:, number] += 0.5 * np.einsum("bp,bp->b", np.take(found, tied, axis=1), equal)
        hits = whole - np.take(positive, self.first, axis=1)
        # Those called are the hits and, of each class, what is not below.
        called = hits + (edges[:, 1:].sum(axis=1)[:, None] - passed.sum(axis=1))
        # A positive of weight nothing, at and above which nothing weighs, adds nothing.
        precision = np.divide(hits, called, out=np.zeros(hits.shape), where=called > 0)
        area = divide(np.einsum("bp,bp->b", found, precision), whole[:, 0].astype(np.float64))
        area[edges[:, -1] == 0] = np.nan
        pairs = (whole * np.diff(edges, axis=1)).astype(np.float64)
        return Ranked(wins, pairs, area)


def _running_sum(weights: Weights) -> NDArray[np.number]:
    """Returns [b, n + 1] sums: column i holds the sum of the first i columns of `weights`."""
    kind = np.float64 if np.issubdtype(weights.dtype, np.floating) else np.int64
    sums = np.zeros((len(weights), weights.shape[1] + 1), kind)
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
