"""Within source: one AUC over all comparisons of two classes within one source.

A model that knows the hospitals alone is at chance here, however high its AUC over all images is.
"""

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from pulmo import stats
from pulmo.evaluate.contrasts import Sides, pairings, positive_share
from pulmo.stats.classified import NO_SCORES, ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.paired import PairedDifference
from pulmo.stats.ranking import Ranking
from pulmo.stats.resampling import bootstrap, interval_estimate
from pulmo.stats.weights import Floats, Weights, divide

MIN_IMAGES: Final = 10
"""Images of each of two classes that a source needs, so that they are compared within it."""

NO_SOURCE: Final = f"no stated source has {MIN_IMAGES} images of each of two classes to compare"

_TEST: Final = "bootstrap over groups"


class Comparison(NamedTuple):
    """Two classes within one source.

    Attributes:
        source: its name.
        sides: the two classes.
        rows: the images of these classes from this source, [n].
    """

    source: str
    sides: Sides
    rows: NDArray[np.bool_]

    @property
    def words(self) -> str:
        """The comparison, as in a sentence."""
        return f"{self.sides.positive[0]} against {self.sides.negative[0]} in {self.source}"


class Compared(NamedTuple):
    """The mean AUC of two models within one source, and the first minus the second."""

    first: Estimate
    second: Estimate
    difference: PairedDifference


class WithinSource(NamedTuple):
    """The comparisons of images within one source.

    Attributes:
        found: the comparisons; none where no source has enough images of two classes.
        replicates: bootstrap resamples of an interval.
        seed: of the resamples.
    """

    found: tuple[Comparison, ...]
    replicates: int
    seed: int

    @classmethod
    def of(
        cls,
        sample: ClassifiedImages,
        sources: NDArray[np.str_],
        positive: Sequence[str],
        replicates: int,
        seed: int,
    ) -> Self:
        """Finds the comparisons: each positive class against each other class, in each source.

        Args:
            sample: the images; what a model said of them does not matter here.
            sources: the effective source of each image, [n]; empty where it is not stated.
            positive: the positive classes; where there are none, every two classes are compared.
            replicates: bootstrap resamples of an interval.
            seed: of the resamples.
        """
        found = []
        for source, sides in product(
            sorted(set(sources.tolist()) - {""}), _sides(sample.labels, positive)
        ):
            each = [(sources == source) & _is(sample, label) for (label,) in sides]
            if min(int(rows.sum()) for rows in each) >= MIN_IMAGES:
                found.append(Comparison(source, sides, each[0] | each[1]))
        return cls(tuple(found), replicates, seed)

    def auc(self, sample: ClassifiedImages) -> Estimate:
        """Returns the mean of a model's AUCs over the comparisons, with its 95 % interval.

        The interval of one comparison is that of `stats.auc`, that of several is between
        percentiles of a bootstrap over groups. It is undefined where there is no comparison or
        only decisions are known.

        Args:
            sample: what the model said of the images that the comparisons were found in.
        """
        return self.compare(sample, sample).first

    def compare(self, first: ClassifiedImages, second: ClassifiedImages) -> Compared:
        """Returns the mean AUCs of two models on the same images, and the first minus the second.

        Args:
            first: what one model said of the images that the comparisons were found in.
            second: what another said of them, in the same order.
        """
        if reason := self._undefined(first) or self._undefined(second):
            none = Estimate.undefined(reason, len(first))
            return Compared(none, none, PairedDifference(none, None, _TEST))
        if len(self.found) == 1:
            (only,) = self.found
            one, two = (_Scored.of(only, each.take(only.rows)) for each in (first, second))
            scores = np.stack([one.scores, two.scores])
            own, other = stats.aucs(one.positive, scores, one.groups)
            return Compared(own, other, stats.auc_difference(one.positive, scores, one.groups))
        means = [_Mean(self.found, each) for each in (first, second)]
        return self._resampled(means[0], means[1], first.groups)

    def _resampled(self, first: "_Mean", second: "_Mean", groups: NDArray[np.intp]) -> Compared:
        draws = bootstrap(
            lambda weights: {"first": first(weights), "second": second(weights)},
            groups,
            self.replicates,
            np.random.default_rng(self.seed),
        )
        apart, value = draws["first"] - draws["second"], first.value - second.value
        error = float(np.nanstd(apart))
        p = float(2 * norm.sf(abs(value) / error)) if error else float(value == 0)
        return Compared(
            interval_estimate(first.value, draws["first"], first.n, NO_SOURCE),
            interval_estimate(second.value, draws["second"], first.n, NO_SOURCE),
            PairedDifference(interval_estimate(value, apart, first.n, NO_SOURCE), p, _TEST),
        )

    def _undefined(self, sample: ClassifiedImages) -> str | None:
        if not self.found:
            return NO_SOURCE
        return None if sample.scored else NO_SCORES


class _Scored(NamedTuple):
    """The images of one comparison: which are positive, the score of each, and its group, [n]."""

    positive: NDArray[np.bool_]
    scores: Floats
    groups: NDArray[np.intp]

    @classmethod
    def of(cls, comparison: Comparison, sample: ClassifiedImages) -> Self:
        sides = comparison.sides
        return cls(_is(sample, sides.positive[0]), positive_share(sample, sides), sample.groups)


class _Mean:
    """The mean AUC over comparisons, as a function of how often each image counts."""

    def __init__(self, found: Sequence[Comparison], sample: ClassifiedImages) -> None:
        self._rows = [np.flatnonzero(each.rows) for each in found]
        self._rankings = []
        for each in found:
            scored = _Scored.of(each, sample.take(each.rows))
            sides = scored.positive.astype(np.intp)
            self._rankings.append(Ranking.from_scores(scored.scores, sides, 1, 2))
        self.n = int(np.any([each.rows for each in found], axis=0).sum())
        self.value = float(self(np.ones((1, len(sample))))[0])

    def __call__(self, weights: Weights) -> Floats:
        """Returns the mean for each row of weights, [b]; NaN where an AUC has no pair."""
        areas = []
        for rows, ranking in zip(self._rows, self._rankings, strict=True):
            ranked = ranking.rank(weights[:, rows])
            areas.append(divide(ranked.wins.sum(axis=1), ranked.pairs.sum(axis=1)))
        return np.asarray(np.mean(areas, axis=0))


def _sides(labels: Sequence[str], positive: Sequence[str]) -> list[Sides]:
    """Returns the pairs of classes that a model must separate, the positive one first."""
    if not positive:
        return [sides for sides in pairings(labels) if len(sides.positive) == 1]
    others = [label for label in labels if label not in positive]
    return [Sides((one,), (other,)) for one, other in product(labels, others) if one in positive]


def _is(sample: ClassifiedImages, label: str) -> NDArray[np.bool_]:
    return np.asarray(sample.truth == sample.labels.index(label), np.bool_)
