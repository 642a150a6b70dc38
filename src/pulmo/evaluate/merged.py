"""Classes of a model that count as one: their probabilities are summed."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError


class Merged(NamedTuple):
    """Predictions of fewer classes.

    Attributes:
        table: the predictions.
        classes: their classes, in order.
        notes: what was merged, as sentences.
    """

    table: pd.DataFrame
    classes: tuple[str, ...]
    notes: tuple[str, ...]


def merged_classes(table: pd.DataFrame, classes: Sequence[str], merge: Mapping[str, str]) -> Merged:
    """Sums the probabilities of classes that count as another, which may be a new one.

    So a model that tells bacterial from viral pneumonia is judged on images that are labelled
    pneumonia: both classes count as it. Decisions are renamed; a result stays positive or not.

    Args:
        table: the predictions.
        classes: their classes, in order.
        merge: label -> class; a label that is no class only counts as one, and changes nothing.

    Raises:
        UsageError: fewer than two classes are left, or a class counts as one that counts as a
            third.
    """
    within = {label: target for label, target in merge.items() if label in classes}
    if not within:
        return Merged(table, tuple(classes), ())
    left = tuple(dict.fromkeys(within.get(label, label) for label in classes))
    label, target = next(iter(within.items()))
    if len(left) < 2 or set(within.values()) & set(within):
        raise UsageError(
            f"The label {label!r} cannot count as {target!r}: two classes or more must be left, "
            f"and one that counts as another takes none; the predictions have the classes "
            f"{', '.join(classes)}."
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
    return Merged(kept, left, tuple(notes))
