"""The arrays that metrics over several findings are computed from, and reweightings of them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray

from pulmo.stats.clusters import Groups, number_groups
from pulmo.stats.ranking import Ranked, Ranking
from pulmo.stats.weights import Floats, Weights, divide


# Arrays have no single truth value, so samples are compared by identity.
@dataclass(frozen=True, eq=False)
class LabelledImages:
    """n images with what is there of L findings, and what a model said of it.

    Attributes:
        labels: the findings.
        known: whether it is labelled if a finding is there, [n, L].
        truth: whether it is there, [n, L]; false where that is not known.
        called: whether the model called it, [n, L].
        probabilities: float64 [n, L] in [0, 1].
        groups: number of the cluster (patient, copies) that each image belongs to, [n], from 0
            without gaps.
    """

    labels: tuple[str, ...]
    known: NDArray[np.bool_]
    truth: NDArray[np.bool_]
    called: NDArray[np.bool_]
    probabilities: Floats
    groups: NDArray[np.intp]

    @classmethod
    def from_arrays(
        cls,
        labels: Sequence[str],
        truth: Floats,
        called: NDArray[np.bool_],
        probabilities: Floats,
        groups: Groups,
    ) -> Self:
        """Takes the findings that some image is labelled for, and the images labelled for any.

        Args:
            labels: the findings.
            truth: 1 where a finding is there, 0 where it is not, NaN where unknown, [n, L].
            called: whether the model called it, [n, L].
            probabilities: float64 [n, L] in [0, 1].
            groups: group of each image, [n], any hashable labels; None: all are independent.
        """
        known = ~np.isnan(truth)
        images, used = (np.asarray(known.any(axis=axis)) for axis in (1, 0))
        clusters = number_groups(groups, len(truth))[images]
        return cls(
            tuple(label for label, there in zip(labels, used, strict=True) if there),
            known[images][:, used],
            (truth == 1)[images][:, used],
            called[images][:, used],
            probabilities[images][:, used],
            np.unique(clusters, return_inverse=True)[1],
        )

    def __len__(self) -> int:
        return len(self.groups)

    @cached_property
    def whole(self) -> NDArray[np.bool_]:
        """Whether an image is labelled for every finding, [n]."""
        return np.asarray(self.known.all(axis=1))

    @cached_property
    def two_sided(self) -> NDArray[np.bool_]:
        """Whether a finding has images with it and images without it, [L]."""
        return np.asarray(self.truth.any(axis=0) & (self.known & ~self.truth).any(axis=0))

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether an image has been called exactly what it is, [n]; of the whole ones."""
        return np.asarray((self.called == self.truth).all(axis=1))

    @cached_property
    def tally(self) -> Floats:
        """Numbers whose weighted sums give what is counted, [n, 3 L + 1].

        They are the hits, the calls and the positives of each finding, and the images' labels.
        """
        calls = self.called & self.known
        counted = [calls & self.truth, calls, self.truth, self.known.sum(axis=1, keepdims=True)]
        return np.concatenate([np.asarray(part, np.float64) for part in counted], axis=1)

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """The images labelled for each two-sided finding, ranked by its probability."""
        return tuple(
            _ranking(np.flatnonzero(self.known[:, place]), self.probabilities[:, place], truth)
            for place, truth in enumerate(self.truth.T)
            if self.two_sided[place]
        )

    @cached_property
    def pooled(self) -> Ranking:
        """All labels of all images in one ranking, each image once for each of its labels."""
        images, places = np.nonzero(self.known)
        ranking = Ranking.from_scores(
            self.probabilities[images, places], self.truth[images, places].astype(np.intp), 1, 2
        )
        return replace(ranking, positives=images[ranking.positives], others=images[ranking.others])

    @cached_property
    def ranking_precision(self) -> Floats:
        """Label ranking average precision of each image, [n] (Schapire and Singer 2000).

        It is the mean, over the findings that are there, of the share of findings that are there
        among those with as high a probability; 1 where all or none are, as in scikit-learn.
        """
        total, count = np.zeros(len(self)), self.truth.sum(axis=1)
        for place, there in enumerate(self.truth.T):
            above = self.probabilities >= self.probabilities[:, place, None]
            shares = (above & self.truth).sum(axis=1) / above.sum(axis=1)
            total += np.where(there, shares, 0.0)
        mixed = (count > 0) & (count < len(self.labels))
        return np.where(mixed, divide(total, count.astype(np.float64)), 1.0)


def _ranking(rows: NDArray[np.intp], scores: Floats, truth: NDArray[np.bool_]) -> Ranking:
    """Ranks some of the images; the ranking takes weights of all of them."""
    ranking = Ranking.from_scores(scores[rows], truth[rows].astype(np.intp), 1, 2)
    return replace(ranking, positives=rows[ranking.positives], others=rows[ranking.others])


@dataclass(frozen=True, eq=False)
class ReweightedLabels:
    """A sample under b rows of weights; every value is NaN where it is undefined.

    Attributes:
        sample: the n images.
        weights: [b, n], not negative: how often each image counts.
    """

    sample: LabelledImages
    weights: Weights

    @cached_property
    def _sums(self) -> Floats:
        return np.asarray(self.weights.astype(np.float64) @ self.sample.tally)

    @cached_property
    def hits(self) -> Floats:
        """Weighted images with each finding that were called so, [b, L]."""
        return self._sums[:, : len(self.sample.labels)]

    @cached_property
    def calls(self) -> Floats:
        """Weighted images labelled for each finding that were called to have it, [b, L]."""
        return self._sums[:, len(self.sample.labels) : 2 * len(self.sample.labels)]

    @cached_property
    def there(self) -> Floats:
        """Weighted images with each finding, [b, L]."""
        return self._sums[:, 2 * len(self.sample.labels) : -1]

    @cached_property
    def cells(self) -> Floats:
        """Weighted number of labels of images, [b]."""
        return self._sums[:, -1]

    @cached_property
    def ranked(self) -> tuple[Ranked, ...]:
        """What the ranking by each two-sided finding's probability says."""
        return tuple(ranking.rank(self.weights) for ranking in self.sample.rankings)

    @cached_property
    def pooled_auc(self) -> Floats:
        """Area under the ROC curve of all labels of all images, [b]."""
        # An image is there L times, so as many fewer resamples are in memory at once.
        chunks = np.array_split(self.weights, min(len(self.sample.labels), len(self.weights)))
        return np.concatenate([area_under(self.sample.pooled.rank(chunk)) for chunk in chunks])

    def mean(self, values: Floats, rows: NDArray[np.bool_]) -> Floats:
        """Returns the weighted mean of values [n] over some of the images, [b]."""
        weights = self.weights[:, rows].astype(np.float64)
        return divide(weights @ values[rows], weights.sum(axis=1))

    def mean_over_labels(self, values: Iterable[Floats]) -> Floats:
        """Returns the mean of values [b] of each two-sided finding, NaN where one has none."""
        columns = list(values)
        if not columns:
            return np.full(len(self.weights), np.nan)
        return np.asarray(np.stack(columns).mean(axis=0))


def area_under(ranked: Ranked) -> Floats:
    """Returns the area under the ROC curve of a ranking of two sides, [b]."""
    return divide(ranked.wins.sum(axis=1), ranked.pairs.sum(axis=1))
