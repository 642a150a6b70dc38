"""The decision rule: how probabilities become results, whoever's model gave them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import UsageError
from pulmo.predictions.operating_point import Bands, OperatingPoint, PredictionSets


class Decisions(NamedTuple):
    """The results of n images.

    Attributes:
        decided: index of the class decided on, [n].
        positive_probability: summed probability of the positive classes, [n]; 0 if there are none.
        positive: whether the result is positive, [n].
        bands: index in `BANDS` of that probability's triage band, [n]; None without triage.
        sets: whether a class is in the prediction set, [n, K]; None without sets.
    """

    decided: NDArray[np.intp]
    positive_probability: NDArray[np.float64]
    positive: NDArray[np.bool_]
    bands: NDArray[np.intp] | None
    sets: NDArray[np.bool_] | None


@dataclass(frozen=True)
class DecisionRule:
    """The classes of a model, and when its result counts as positive.

    Attributes:
        classes: the K classes, in the order of the probabilities.
        merges: label -> class that it counts as.
        positive: the classes that count as positive; none if that is not known.
        threshold: summed probability of these from which a result is positive; None if it is
            positive where the decided class is one of them.
        vocabulary: labels that a table may hold; empty if it may hold any.
        fitted: where the threshold comes from, if it is not the card's.
        bands: the triage bands, if there are any.
        sets: the rule of the prediction sets, if there is one.
        single_finding: whether the two classes are one finding and its absence. Then the threshold
            decides on the class too.
        scored: whether probabilities are known; where only decisions are, there is no threshold.

    Raises:
        UsageError: a positive class is none of the classes, or all are positive; a label that is
            merged is a class, or counts as none; or the threshold is no probability.
    """

    classes: tuple[str, ...]
    merges: Mapping[str, str] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    threshold: float | None = None
    vocabulary: tuple[str, ...] = ()
    fitted: OperatingPoint | None = None
    bands: Bands | None = None
    sets: PredictionSets | None = None
    single_finding: bool = False
    scored: bool = True

    def __post_init__(self) -> None:
        for label in self.positive:
            if label not in self.classes:
                raise UsageError(
                    "positive-class-unknown",
                    f"There is no class {label!r} to count as positive; the predictions have the "
                    f"classes {', '.join(self.classes)}.",
                )
        if set(self.positive) == set(self.classes):
            raise UsageError(
                "positive-classes-invalid",
                "All classes count as positive. At least one class must count as negative.",
            )
        for label, target in self.merges.items():
            if target not in self.classes or label in self.classes:
                raise UsageError(
                    "class-not-mergeable",
                    f"The label {label!r} cannot be merged into {target!r}. Only a label that is "
                    "not a class can be merged into a class; the predictions have the classes "
                    f"{', '.join(self.classes)}.",
                )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(
                "threshold-invalid",
                f"A threshold must be between 0 and 1; got {self.threshold:g}.",
            )

    @classmethod
    def from_finding(cls, finding: str, threshold: float | None) -> Self:
        """Makes the rule of one finding: it is there, or it is not."""
        return cls(
            (finding, f"no {finding}"),
            positive=(finding,),
            threshold=threshold,
            single_finding=True,
        )

    def with_merges(self, merges: Mapping[str, str]) -> Self:
        """Returns the same rule, with more labels that count as a class.

        Raises:
            UsageError: such a label is a class itself, or what it is to count as is none.
        """
        return replace(self, merges={**self.merges, **merges})

    @property
    def positive_names(self) -> str:
        """The positive classes as words: `covid or pneumonia`."""
        return " or ".join(self.positive)

    def class_of(self, label: str) -> str | None:
        """Returns the class that a label counts as; None if it counts as none."""
        merged = self.merges.get(label, label)
        return merged if merged in self.classes else None

    def positive_probability(self, probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns the summed probability of the positive classes, [n]; 0 where there are none.

        Args:
            probabilities: float64 [n, K].
        """
        columns = [self.classes.index(label) for label in self.positive]
        return np.asarray(probabilities[:, columns].sum(axis=1))

    def is_positive_class(self, classes: NDArray[np.intp]) -> NDArray[np.bool_]:
        """Tells which of the classes that are given by their index are positive, [n]."""
        return np.isin(classes, [self.classes.index(label) for label in self.positive])

    def is_positive(
        self, positive_probability: NDArray[np.float64], decided: NDArray[np.intp]
    ) -> NDArray[np.bool_]:
        """Tells which results are positive, [n].

        Args:
            positive_probability: summed probability of the positive classes, [n].
            decided: index of the class decided on, [n]; it counts where there is no threshold.
        """
        if self.threshold is None:
            return self.is_positive_class(decided)
        return np.asarray(positive_probability >= self.threshold)

    def decide(self, probabilities: NDArray[np.float64]) -> Decisions:
        """Turns probabilities into results.

        The class decided on is the first one with the highest probability. A rule of a single
        finding with a threshold decides on the finding from its threshold on.

        Args:
            probabilities: float64 [n, K], calibrated; without NaN.
        """
        scores = self.positive_probability(probabilities)
        decided = np.asarray(probabilities.argmax(axis=1), np.intp)
        if self.single_finding and self.threshold is not None:
            present = self.classes.index(self.positive[0])
            decided = np.where(scores >= self.threshold, present, 1 - present)
        return Decisions(
            decided=decided,
            positive_probability=scores,
            positive=self.is_positive(scores, decided),
            bands=None if self.bands is None else self.bands.place(scores),
            sets=None if self.sets is None else probabilities >= self.sets.least,
        )
