"""Labels as they are written become the classes that they mean."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import pandas as pd

from pulmo.core.labels import LABELS
from pulmo.predictions.reading.score_columns import spelling

CODES: Final = frozenset({"0", "1"})
"""Labels that are the codes of two classes."""


def values_of(column: pd.Series) -> list[str]:
    """Returns the different values of a column, in the order in which they appear."""
    return [str(value) for value in column.dropna().unique()]


def is_coded(values: Iterable[str]) -> bool:
    """Tells whether labels are 0 and 1, or one of the two."""
    found = set(values)
    return bool(found) and found <= CODES


def matching(name: str, classes: Sequence[str]) -> str | None:
    """Returns the class that a name is, perhaps in other letters; None if it is none."""
    return name if name in classes else spelling([name], classes).get(name)


def usual(name: str, merge: Mapping[str, str]) -> str:
    """Returns a class as pulmo spells it, COVID as covid, if it is one of its labels.

    One that a user has named in `merge`, label -> class, stays as it is.
    """
    if name in merge.values():
        return name
    return next((label for label in LABELS if label.casefold() == name.casefold()), name)


def respelled(
    column: pd.Series, classes: Sequence[str], merge: Mapping[str, str]
) -> dict[str, str]:
    """Returns value -> class for the values of a column that are classes in other letters.

    Args:
        column: labels or decisions.
        classes: the classes.
        merge: labels that a user has said what they count as; they are left.
    """
    return dict(spelling([value for value in values_of(column) if value not in merge], classes))


def read_as_note(meaning: Mapping[str, str]) -> list[str]:
    """Says which labels were read as which classes."""
    if not meaning:
        return []
    pairs = ", ".join(f"{value} as {label}" for value, label in meaning.items())
    return [f"Labels read as classes: {pairs}."]


def with_meaning(table: pd.DataFrame, meaning: Mapping[str, str]) -> pd.DataFrame:
    """Returns a table with the classes that its labels and decisions mean in their place."""
    if not meaning:
        return table
    columns = {
        name: table[name].replace(dict(meaning)) for name in ("label", "decision") if name in table
    }
    return table.assign(**columns)


def spelled_once(labels: list[str]) -> list[str]:
    """Returns labels without those that are another one in other letters."""
    found: list[str] = []
    for label in labels:
        if matching(label, found) is None:
            found.append(label)
    return found
