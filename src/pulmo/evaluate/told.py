"""Told: a table of predictions, and what its reader was told beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.merged import merged_classes
from pulmo.evaluate.reading.labels import values_of
from pulmo.evaluate.table import classes_of
from pulmo.evaluate.terms import Terms


class Told(NamedTuple):
    """Predictions of a model of which nothing else is known.

    Attributes:
        table: as `pulmo.evaluate.table.complete` takes it.
        terms: what they are judged by.
        model: what the model is called.
        notes: how the table was read, as sentences.
    """

    table: pd.DataFrame
    terms: Terms
    model: ModelName
    notes: tuple[str, ...] = ()


def model_of(path: Path) -> ModelName:
    """Returns what a model is called of which only a table is known: the file's name and hash."""
    return ModelName(name=path.stem, version="predictions", sha256=sha256(read_bytes(path)))


def tell(
    table: pd.DataFrame,
    model: ModelName,
    positive: Sequence[str] = (),
    threshold: float | None = None,
    merge: Mapping[str, str] | None = None,
    notes: Sequence[str] = (),
) -> Told:
    """Puts a table of predictions of one class a film beside what is said of it.

    Args:
        table: the predictions, as `pulmo.evaluate.reading.recognise.recognise` gives them.
        model: what their model is called.
        positive: the classes that count as positive.
        threshold: summed probability of these from which a result is positive. It goes before what
            the table says of its results; None if that holds or, without it, the decided class.
        merge: label -> class that it counts as. A label that is a class itself is summed into it.
        notes: how the table was read, as sentences.

    Raises:
        InputError: the table lacks probabilities, and decisions too.
        UsageError: what is told does not fit the table.
    """
    if threshold is not None and not positive:
        raise UsageError("--threshold needs --positive: which classes' probability it is of.")
    scored = "decision" not in table or any(str(name).startswith("p_") for name in table.columns)
    if not scored and threshold is not None:
        raise UsageError("--threshold needs probabilities, and the table holds decisions alone.")
    said = merge or {}
    classes = classes_of(table) if scored else _decided_classes(table, positive, said)
    merged = merged_classes(table, classes, said)
    terms = Terms(merged.classes, said, tuple(positive), threshold, scored=scored)
    table = merged.table
    if threshold is not None:
        table = table.drop(columns=["positive", "positive_probability"], errors="ignore")
    return Told(table, terms, model, (*notes, *merged.notes))


def _decided_classes(
    table: pd.DataFrame, positive: Sequence[str], merge: Mapping[str, str]
) -> tuple[str, ...]:
    """Returns the classes of a table of decisions: those that are positive, labelled, decided on.

    A label that counts as another class is none.
    """
    labels = [label for label in values_of(table["label"]) if label not in merge]
    targets = [merge[label] for label in values_of(table["label"]) if label in merge]
    decided = values_of(table["decision"])
    known = [*labels, *targets, *decided]
    first = [label for label in positive if label in known]
    classes = tuple(dict.fromkeys([*first, *known]))
    if len(classes) < 2:
        raise UsageError(
            f"All labels and decisions are {', '.join(classes)}; two classes are needed."
        )
    return classes
