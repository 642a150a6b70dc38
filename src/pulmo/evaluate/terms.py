"""Terms: what a table of predictions is judged by, whoever's model made it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from pulmo.bundle.card import Bands, Card, OperatingPoint, PredictionSets
from pulmo.core.errors import UsageError
from pulmo.core.labels import LABELS


@dataclass(frozen=True)
class Terms:
    """The classes of a model, and when its result counts as positive.

    Attributes:
        order: the classes, in the order of the probabilities.
        merge: label -> class that it counts as.
        positive: the classes that count as positive; none if that is not known.
        threshold: summed probability of these from which a result is positive; None if it is where
            the decided class is one of them.
        known: labels that a table may hold; none if it may hold any.
        fitted: where the threshold comes from, if it is not the card's.
        bands: the triage bands, if there are any.
        sets: the rule of the conformal sets, if there is one.
        single: whether the two classes are one finding and its absence, so that the threshold
            decides on the class too.
        scored: whether probabilities are known; where only decisions are, there is no threshold.
    """

    order: tuple[str, ...]
    merge: Mapping[str, str] = field(default_factory=dict)
    positive: tuple[str, ...] = ()
    threshold: float | None = None
    known: tuple[str, ...] = ()
    fitted: OperatingPoint | None = None
    bands: Bands | None = None
    sets: PredictionSets | None = None
    single: bool = False
    scored: bool = True

    def __post_init__(self) -> None:
        for label in self.positive:
            if label not in self.order:
                raise UsageError(
                    f"There is no class {label!r} to count as positive; the predictions have the "
                    f"classes {', '.join(self.order)}."
                )
        if set(self.positive) == set(self.order):
            raise UsageError("All classes count as positive; at least one must not.")
        for label, target in self.merge.items():
            if target not in self.order or label in self.order:
                raise UsageError(
                    f"The label {label!r} cannot count as {target!r}: a label that is no class may "
                    f"count as one; the predictions have the classes {', '.join(self.order)}. To "
                    "count classes of a bundle as one, evaluate the predictions.parquet that it "
                    "gave, with --merge."
                )
        if self.threshold is not None and not 0 <= self.threshold <= 1:
            raise UsageError(f"A threshold lies between 0 and 1; {self.threshold:g} was given.")

    @classmethod
    def of_finding(cls, label: str, threshold: float | None) -> Self:
        """Returns the terms of one finding: it is there, or it is not."""
        return cls((label, f"no {label}"), positive=(label,), threshold=threshold, single=True)

    @classmethod
    def of(cls, card: Card, fitted: OperatingPoint | None = None) -> Self:
        """Takes the terms of a model's card, or another threshold that was `fitted`."""
        return cls(
            card.labels.order,
            card.labels.merge,
            card.decision.positive,
            (fitted or card.decision).threshold,
            LABELS,
            fitted,
            card.bands,
            card.sets,
        )

    def merging(self, merge: Mapping[str, str]) -> Self:
        """Returns the same terms, with more labels that count as a class.

        Raises:
            UsageError: such a label is a class itself, or what it is to count as is none.
        """
        return replace(self, merge={**self.merge, **merge})

    def index(self, label: str) -> int | None:
        """Returns the position of the class that `label` counts as; None if it is not used."""
        merged = self.merge.get(label, label)
        return self.order.index(merged) if merged in self.order else None
