"""External predictions: a table of a model of which nothing else is known, and its rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.predictions.reading.labels import values_of
from pulmo.predictions.reading.recognise import Recognised
from pulmo.predictions.table import classes_of


@dataclass(frozen=True, eq=False)
class ExternalPredictions:
    """Predictions of a model of which nothing else is known.

    Attributes:
        table: with pulmo's columns; what may be left out is not filled in, and labels may lack.
        rule: how they are read.
        notes: how the table was read, as sentences.
    """

    table: pd.DataFrame
    rule: DecisionRule
    notes: tuple[str, ...] = ()

    def checked(self) -> Predictions:
        """Returns them filled in and checked.

        Raises:
            InputError: a column or a value is missing or is not allowed.
        """
        return Predictions.from_table(self.table, self.rule)


def external_predictions(
    found: Recognised,
    threshold: float | None = None,
    merges: Mapping[str, str] | None = None,
) -> ExternalPredictions:
    """Finds the rule of a table of predictions of one class an image.

    Args:
        found: the table, with its positive classes.
        threshold: summed probability of these from which a result is positive. It goes before what
            the table says of its results; None if that holds or, without it, the decided class.
        merges: label -> class that it counts as. A label that is a class itself is summed into it.

    Raises:
        InputError: the table lacks probabilities, and decisions too.
        UsageError: the threshold, the merges or the positive classes do not fit the table.
    """
    table, positive = found.table, found.positive
    if threshold is not None and not positive:
        raise UsageError(
            "threshold-without-positive",
            "A threshold is given, but not the positive classes that it is for.",
        )
    scored = "decision" not in table or any(str(name).startswith("p_") for name in table.columns)
    if not scored and threshold is not None:
        raise UsageError(
            "threshold-without-probabilities",
            "A threshold is given, but the table contains decisions and no probabilities.",
        )
    stated = merges or {}
    classes = classes_of(table) if scored else _decided_classes(table, positive, stated)
    merged = merge_classes(table, classes, stated)
    rule = DecisionRule(merged.classes, stated, positive, threshold, scored=scored)
    table = merged.table
    if threshold is not None:
        table = table.drop(columns="positive", errors="ignore")
    return ExternalPredictions(table, rule, (*found.notes, *merged.notes))


def _decided_classes(
    table: pd.DataFrame, positive: Sequence[str], merges: Mapping[str, str]
) -> tuple[str, ...]:
    """Returns the classes of a table of decisions: those that are positive, labelled, decided on.

    A label that counts as another class is none.
    """
    labels = [label for label in values_of(table["label"]) if label not in merges]
    targets = [merges[label] for label in values_of(table["label"]) if label in merges]
    known = [*labels, *targets, *values_of(table["decision"])]
    first = [label for label in positive if label in known]
    classes = tuple(dict.fromkeys([*first, *known]))
    if len(classes) < 2:
        raise UsageError(
            "labels-too-few",
            f"All labels and decisions are {', '.join(classes)}; at least two classes are needed.",
        )
    return classes


class MergedClasses(NamedTuple):
    """Predictions of fewer classes.

    Attributes:
        table: the predictions.
        classes: their classes, in order.
        notes: what was merged, as sentences.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def merge_classes(
    table: pd.DataFrame, classes: Sequence[str], merges: Mapping[str, str]
) -> MergedClasses:
    """Sums the probabilities of classes that count as another, which may be a new one.

    So a model that distinguishes bacterial and viral pneumonia is evaluated on images that are
    labelled pneumonia: both classes count as it. Decisions are renamed; a result stays positive or
    not.

    Args:
        table: the predictions.
        classes: their classes, in order.
        merges: label -> class; a label that is no class only counts as one, and changes nothing.

    Raises:
        UsageError: fewer than two classes are left, or a class counts as one that counts as a
            third.
    """
    within = {label: target for label, target in merges.items() if label in classes}
    if not within:
        return MergedClasses(table, tuple(classes), ())
    left = tuple(dict.fromkeys(within.get(label, label) for label in classes))
    label, target = next(iter(within.items()))
    if len(left) < 2 or set(within.values()) & set(within):
        raise UsageError(
            "label-merge-invalid",
            f"The label {label!r} cannot be merged into {target!r}: at least two classes must "
            "remain, and no label may be merged into one that is merged itself. The predictions "
            f"have the classes {', '.join(classes)}.",
        )
    columns = {}
    for name in left:
        parts = [f"p_{each}" for each in classes if within.get(each, each) == name]
        if set(parts) <= set(table.columns):
            columns[f"p_{name}"] = table[parts].sum(axis=1, skipna=False)
    kept = table.drop(columns=[f"p_{each}" for each in classes], errors="ignore").assign(**columns)
    if "decision" in kept:
        kept = kept.assign(decision=kept["decision"].replace(within))
    notes = [
        f"{' and '.join(each for each, to in within.items() if to == name)} count as {name}: their "
        "probabilities were summed."
        for name in dict.fromkeys(within.values())
    ]
    return MergedClasses(kept, left, tuple(notes))
