"""Ranking: pictures sorted once by a score, so that thousands of reweightings cost no sorting."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pulmo.evaluate.weighted import divide


@dataclass(frozen=True)
class Ranking:
    """The positives and the negatives of one score, each sorted by it.

    Attributes:
        positives: rows of the positives by rising score, [p].
        negatives: rows of the negatives by rising score, [q].
        below: number of negatives with a lower score than each positive, [p].
        reached: number of negatives with a score not above each positive's, [p].
        first: number of positives with a lower score than each positive, [p].
    """

    positives: NDArray[np.intp]
    negatives: NDArray[np.intp]
    below: NDArray[np.intp]
    reached: NDArray[np.intp]
    first: NDArray[np.intp]

    @classmethod
    def of(cls, scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> Self:
        """Sorts scores [n], high for positives, of pictures that are `positive` [n] or not."""
        order = np.argsort(scores, kind="stable")
        positives, negatives = order[positive[order]], order[~positive[order]]
        found, others = scores[positives], scores[negatives]
        return cls(
            positives,
            negatives,
            below=np.searchsorted(others, found, side="left"),
            reached=np.searchsorted(others, found, side="right"),
            first=np.searchsorted(found, found, side="left"),
        )

    def auc(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the area under the ROC curve for each row of weights.

        It is the weighted share of pairs of a positive and a negative in which the positive has
        the higher score; a tie counts half (Hanley and McNeil 1982).

        Args:
            weights: [b, n], not negative.

        Returns:
            [b] in [0, 1]; NaN where the positives or the negatives weigh nothing.
        """
        found = np.take(weights, self.positives, axis=1)
        others = _running_sum(np.take(weights, self.negatives, axis=1))
        beaten = np.take(others, self.below, axis=1)
        beaten += np.take(others, self.reached, axis=1)
        return divide(np.einsum("bp,bp->b", found, beaten), 2.0 * found.sum(axis=1) * others[:, -1])

    def average_precision(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the average precision for each row of weights.

        It is the mean over the positives of the precision at the positive's own score, that is,
        the sum over thresholds of the step in recall times the precision, without interpolation.

        Args:
            weights: [b, n], not negative.

        Returns:
            [b] in [0, 1]; NaN where the positives or the negatives weigh nothing.
        """
        found = np.take(weights, self.positives, axis=1)
        sums = _running_sum(found)
        others = _running_sum(np.take(weights, self.negatives, axis=1))
        hits = sums[:, -1:] - np.take(sums, self.first, axis=1)
        called = others[:, -1:] - np.take(others, self.below, axis=1)
        called += hits
        # A positive of weight nothing, at and above which nothing weighs, adds nothing.
        precision = np.divide(hits, called, out=np.zeros_like(hits), where=called > 0)
        area = divide(np.einsum("bp,bp->b", found, precision), sums[:, -1])
        area[others[:, -1] == 0] = np.nan
        return area


def _running_sum(weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns [b, n + 1] sums: column i holds the sum of the first i columns of `weights`."""
    sums = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=sums[:, 1:])
    return sums
