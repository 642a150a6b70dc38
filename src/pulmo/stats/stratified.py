"""Stratified: the AUC over the pairs within strata, and over those across them."""

import numpy as np
from numpy.typing import NDArray

from pulmo.stats.ranking import Ranking
from pulmo.stats.weights import Weights, divide


class StratifiedPairs:
    """The AUC of scores over some of the pairs of a positive and a negative observation.

    Over the pairs from one stratum, it is the stratified AUC (van Elteren 1960).
    """

    def __init__(
        self,
        scores: NDArray[np.float64],
        positive: NDArray[np.bool_],
        strata: NDArray[np.str_],
        shared: tuple[str, ...],
    ) -> None:
        """Takes scores, high for positives, the strata, [n] each, and those that count within."""
        rows = [np.flatnonzero(strata == name) for name in sorted(set(strata.tolist()))]
        self._shared = [strata[each[0]] in shared for each in rows]
        self._rows = [np.arange(len(scores)), *rows]
        classes = positive.astype(np.intp)
        self._rankings = [
            Ranking.from_scores(scores[each], classes[each], 1, 2) for each in self._rows
        ]

    def within(self, weights: Weights) -> NDArray[np.float64]:
        """Returns the AUC over pairs from one of the shared strata, [b]."""
        counted = [
            self._counted(weights, place + 1) for place, there in enumerate(self._shared) if there
        ]
        won, all_ = np.sum(counted, axis=0) if counted else np.zeros((2, len(weights)))
        return divide(won, all_)

    def across(self, weights: Weights) -> NDArray[np.float64]:
        """Returns the AUC over pairs from two strata, [b]."""
        whole, *parts = (self._counted(weights, place) for place in range(len(self._rows)))
        won, all_ = whole - np.sum(parts, axis=0)
        # What is left of equal sums is rounding, of pairs that weigh 1 or more.
        return divide(won, np.where(all_ < 0.5, 0.0, all_))

    def lost(self, weights: Weights) -> NDArray[np.float64]:
        """Returns the second minus the first, [b]."""
        return self.across(weights) - self.within(weights)

    def _counted(self, weights: Weights, place: int) -> NDArray[np.float64]:
        """Returns the pairs that are ranked rightly, and all pairs, of one set of rows, [2, b]."""
        mine = weights[:, self._rows[place]]
        ranked = self._rankings[place].rank(mine)
        return np.stack([ranked.wins.sum(axis=1), ranked.pairs.sum(axis=1)])
