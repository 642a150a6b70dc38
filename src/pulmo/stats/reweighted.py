"""Reweighted: a sample whose images count more or less often, and all that metrics need of it.

A bootstrap reweights a sample thousands of times. What several metrics need (the confusion, the
bins, the rankings) is computed once for all of them, for many resamples in one call.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pulmo.stats.classified import BINS, ClassifiedImages
from pulmo.stats.ranking import Ranked
from pulmo.stats.weights import Floats, Weights, divide


# Arrays have no single truth value, so they are compared by identity.
@dataclass(frozen=True, eq=False)
class Reweighted:
    """A sample under b rows of weights; every value is NaN where it is undefined.

    Attributes:
        sample: the n images, of K classes.
        weights: [b, n], not negative: how often each image counts.
    """

    sample: ClassifiedImages
    weights: Weights

    @cached_property
    def _ordered(self) -> Floats:
        """The weights in the order of the tally, [b, n]."""
        return np.take(self.weights, self.sample.tally.order, axis=1).astype(np.float64)

    def _by_kind(self, values: Floats) -> Floats:
        """Returns sums [b, true class, decided class, bin] of values [b, n], tally's order."""
        tally, count = self.sample.tally, len(self.sample.labels)
        sums = np.zeros((len(values), count * count * BINS))
        sums[:, tally.kinds] = np.add.reduceat(values, tally.starts, axis=1)
        return sums.reshape(-1, count, count, BINS)

    @cached_property
    def _counts(self) -> Floats:
        """Weighted number of images [b, true class, decided class, bin of confidence]."""
        return self._by_kind(self._ordered)

    def _mean(self, values: Floats) -> Floats:
        """Returns the weighted mean [b] of values [n] in the tally's order."""
        # Unlike a matrix product, this takes no threads away from the other resamples.
        return divide(np.einsum("bn,n->b", self._ordered, values), self.total)

    @cached_property
    def confusion(self) -> Floats:
        """Weighted number of images [b, true class, decided class]."""
        return np.asarray(self._counts.sum(axis=3))

    @cached_property
    def total(self) -> Floats:
        """Weighted number of images, [b]."""
        return np.asarray(self.confusion.sum(axis=(1, 2)))

    @cached_property
    def true(self) -> Floats:
        """Weighted number of images of each class, [b, K]."""
        return np.asarray(self.confusion.sum(axis=2))

    @cached_property
    def decided(self) -> Floats:
        """Weighted number of images that the model decided to be of each class, [b, K]."""
        return np.asarray(self.confusion.sum(axis=1))

    @cached_property
    def hits(self) -> Floats:
        """Weighted number of images of each class that were decided to be, [b, K]."""
        return np.diagonal(self.confusion, axis1=1, axis2=2)

    @cached_property
    def squared_error(self) -> Floats:
        """Weighted mean of the squared error, summed over classes, [b]."""
        return self._mean(self.sample.tally.squared_error)

    @cached_property
    def log_loss(self) -> Floats:
        """Weighted mean of the log loss, [b]."""
        return self._mean(self.sample.tally.log_loss)

    @cached_property
    def bins(self) -> tuple[Floats, Floats, Floats]:
        """Weighted images, hits and confidence of each bin of confidence, each [b, bins]."""
        confidence = self._by_kind(self._ordered * self.sample.tally.confidence)
        hits = np.einsum("biik->bk", self._counts)
        return self._counts.sum(axis=(1, 2)), hits, confidence.sum(axis=(1, 2))

    @cached_property
    def ranked(self) -> tuple[Ranked, ...]:
        """What the ranking by each class's probability says."""
        return tuple(ranking.rank(self.weights) for ranking in self.sample.rankings)

    @cached_property
    def auc(self) -> Floats:
        """Area under the ROC curve of each class's probability, against the rest, [b, K]."""
        areas = (divide(one.wins.sum(axis=1), one.pairs.sum(axis=1)) for one in self.ranked)
        return np.stack(list(areas), axis=1)

    @cached_property
    def pair_auc(self) -> Floats:
        """Hand and Till's A(i, j) of each two classes, [b, K, K], symmetric; NaN with itself.

        It is the mean of two areas: of the probability of i over the images of i and j, and of
        that of j (Hand and Till 2001, equation 4).
        """
        areas = np.stack([divide(one.wins, one.pairs) for one in self.ranked], axis=1)
        return (areas + areas.transpose(0, 2, 1)) / 2
