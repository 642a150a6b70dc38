"""Told: a table of predictions, and what its reader was told beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.table import classes_of
from pulmo.evaluate.terms import Terms


class Told(NamedTuple):
    """Predictions of a model of which nothing else is known.

    Attributes:
        table: as `pulmo.evaluate.table.complete` takes it.
        terms: what they are judged by.
        model: what the model is called.
    """

    table: pd.DataFrame
    terms: Terms
    model: ModelName


def model_of(path: Path) -> ModelName:
    """Returns what a model is called of which only a table is known: the file's name and hash."""
    return ModelName(name=path.stem, version="predictions", sha256=sha256(read_bytes(path)))


def tell(
    table: pd.DataFrame,
    model: ModelName,
    positive: Sequence[str] = (),
    threshold: float | None = None,
    merge: Mapping[str, str] | None = None,
) -> Told:
    """Puts a table of predictions of one class a film beside what is said of it.

    Args:
        table: the predictions, as `pulmo.evaluate.table.read_table` gives them.
        model: what their model is called.
        positive: the classes that count as positive.
        threshold: summed probability of these from which a result is positive. It goes before what
            the table says of its results; None if that holds or, without it, the decided class.
        merge: label -> class that it counts as.

    Raises:
        InputError: the table lacks probabilities.
        UsageError: what is told does not fit the table.
    """
    if threshold is not None and not positive:
        raise UsageError("--threshold needs --positive: which classes' probability it is of.")
    terms = Terms(classes_of(table), merge or {}, tuple(positive), threshold)
    if threshold is not None:
        table = table.drop(columns=["positive", "positive_probability"], errors="ignore")
    return Told(table, terms, model)
