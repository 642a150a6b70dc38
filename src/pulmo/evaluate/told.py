"""Told: a table of predictions, and what its reader was told beside it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.files import read_bytes, sha256
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.table import classes_of, read_table
from pulmo.evaluate.terms import Terms


class Told(NamedTuple):
    """Predictions of a model of which nothing else is known.

    Attributes:
        table: as `pulmo.evaluate.table.complete` takes it.
        terms: what they are judged by.
        model: what the model is called: the file's name and hash.
    """

    table: pd.DataFrame
    terms: Terms
    model: ModelName


def read_told(
    path: Path,
    positive: Sequence[str] = (),
    threshold: float | None = None,
    merge: Mapping[str, str] | None = None,
) -> Told:
    """Reads a table of predictions.

    Args:
        path: the table, Parquet or CSV.
        positive: the classes that count as positive.
        threshold: summed probability of these from which a result is positive. It goes before what
            the table says of its results; None if that holds or, without it, the decided class.
        merge: label -> class that it counts as.

    Raises:
        InputError: the table cannot be read, or lacks probabilities.
        UsageError: what is told does not fit the table.
    """
    if threshold is not None and not positive:
        raise UsageError("--threshold needs --positive: which classes' probability it is of.")
    table = read_table(path)
    terms = Terms(classes_of(table), merge or {}, tuple(positive), threshold)
    if threshold is not None:
        table = table.drop(columns=["positive", "positive_probability"], errors="ignore")
    digest = sha256(read_bytes(path))
    return Told(table, terms, ModelName(name=path.stem, version="predictions", sha256=digest))
