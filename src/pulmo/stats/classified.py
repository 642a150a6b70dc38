"""Classified images: the arrays that metrics are computed from."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.stats.ranking import Ranking

NO_SCORES = "only decisions are known, and no probabilities"
"""Why a metric that needs probabilities is undefined where only decisions are known."""

BINS = 10
"""Number of equal bins of the highest probability."""


class Tally(NamedTuple):
    """Images in the order of their cell and bin, and numbers whose weighted sums give metrics.

    Attributes:
        order: the images, by true class, decided class and bin of confidence, [n].
        kinds: class times decided class times bin of each run of images that share all, [r].
        starts: where each run begins, [r].
        confidence: highest probability, in that order, [n].
        squared_error: squared distance between probabilities and truth, in that order, [n].
        log_loss: negative natural logarithm of the true class's probability, likewise, [n].
    """

    order: NDArray[np.intp]
    kinds: NDArray[np.intp]
    starts: NDArray[np.intp]
    confidence: NDArray[np.float64]
    squared_error: NDArray[np.float64]
    log_loss: NDArray[np.float64]


# Arrays have no single truth value, so samples are compared by identity.
@dataclass(frozen=True, eq=False)
class ClassifiedImages:
    """n images with their true class and what a model said of them.

    Attributes:
        labels: the K classes, in the order of the probabilities.
        truth: index of the true class, [n].
        decided: index of the class that the model decided on, [n].
        probabilities: float64 [n, K] in [0, 1], rows that sum to 1.
        groups: number of the cluster (patient, copies) that each image belongs to, [n], from 0
            without gaps.
        scored: whether the probabilities are the model's; else they are 1 for the decided class.
    """

    labels: tuple[str, ...]
    truth: NDArray[np.intp]
    decided: NDArray[np.intp]
    probabilities: NDArray[np.float64]
    groups: NDArray[np.intp]
    scored: bool = True

    def __len__(self) -> int:
        return len(self.truth)

    def take(self, chosen: NDArray[np.bool_]) -> Self:
        """Returns the sample of the `chosen` [n] images, its groups numbered without gaps."""
        _, groups = np.unique(self.groups[chosen], return_inverse=True)
        return replace(
            self,
            truth=self.truth[chosen],
            decided=self.decided[chosen],
            probabilities=self.probabilities[chosen],
            groups=groups,
        )

    @cached_property
    def is_class(self) -> NDArray[np.bool_]:
        """Whether an image is of a class, [n, K]."""
        return np.equal.outer(self.truth, np.arange(len(self.labels)))

    @cached_property
    def called_class(self) -> NDArray[np.bool_]:
        """Whether the model decided on a class, [n, K]."""
        return np.equal.outer(self.decided, np.arange(len(self.labels)))

    @cached_property
    def present(self) -> NDArray[np.bool_]:
        """Whether a class has images, [K]."""
        return np.asarray(self.is_class.any(axis=0))

    @cached_property
    def confidence(self) -> NDArray[np.float64]:
        """The highest probability of each image, [n]."""
        return np.asarray(self.probabilities.max(axis=1))

    @cached_property
    def confidence_bin(self) -> NDArray[np.intp]:
        """Which of ten equal bins of [0, 1] the highest probability lies in, [n]; 1 is in the last.

        A bin holds its lower end and not its upper one.
        """
        return np.minimum((self.confidence * BINS).astype(np.intp), BINS - 1)

    @cached_property
    def rankings(self) -> tuple[Ranking, ...]:
        """One ranking for each class against each other one, by the class's probability."""
        count = len(self.labels)
        columns = enumerate(self.probabilities.T)
        return tuple(
            Ranking.from_scores(scores, self.truth, label, count) for label, scores in columns
        )

    @cached_property
    def tally(self) -> Tally:
        """What the counted and the averaged metrics add up."""
        kind = (self.truth * len(self.labels) + self.decided) * BINS + self.confidence_bin
        order = np.argsort(kind, kind="stable")
        kinds, starts = np.unique(kind[order], return_index=True)
        true = self.probabilities[np.arange(len(self)), self.truth]
        return Tally(
            order,
            kinds,
            starts,
            self.confidence[order],
            np.square(self.probabilities - self.is_class).sum(axis=1)[order],
            -np.log(np.maximum(true, np.finfo(np.float64).eps))[order],
        )
