"""Intake: a table of predictions is checked, and becomes the pictures that can be judged."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.evaluate.table import numbers_of
from pulmo.evaluate.terms import Terms
from pulmo.stats.classified import ClassifiedImages

REQUIRED = ("path", "label", "group", "source", "decision", "positive")
"""Columns that must be there without gaps, beside `age` and the probabilities."""

TOLERANCE = 2e-3
"""How far the probabilities of a picture may be from summing to 1: four, rounded to 0.001."""


class Judged(NamedTuple):
    """The pictures that can be judged, those whose label the model knows.

    Attributes:
        rows: their rows of the table, numbered from 0, with one column more, `class`: the class of
            the model that the label counts as.
        sample: the same pictures as arrays.
        skipped: label that the model does not know -> pictures left out.
    """

    rows: pd.DataFrame
    sample: ClassifiedImages
    skipped: dict[str, int]


def judge(predictions: pd.DataFrame, terms: Terms) -> Judged:
    """Checks a table of predictions and takes the pictures that can be judged.

    Args:
        predictions: one row a picture, with `path`, `label`, `group`, `source`, `age` (nullable),
            `decision`, `positive` and, for each class, its probability `p_<class>`.
        terms: the classes of the model and the labels merged into them.

    Raises:
        InputError: a column or a value is missing, a path is there twice, a label or decision is
            unknown, an age is no number, the probabilities are not in [0, 1] or do not sum to
            1, or no picture is left.
    """
    _check_columns(predictions, terms)
    probabilities = _probabilities(predictions, terms)
    given = predictions["label"].astype(str)
    position = {label: terms.index(label) for label in given.unique()}
    used = given.map(lambda label: position[label] is not None).to_numpy(np.bool_)
    if not used.any():
        raise InputError(
            f"None of the {len(predictions)} pictures has a label that the model knows "
            f"({', '.join((*terms.order, *terms.merge))}); there is nothing to evaluate."
        )
    counts = given[~used].value_counts().sort_index()
    skipped = {str(label): int(count) for label, count in counts.items()}
    rows = predictions[used].reset_index(drop=True)
    truth = np.array([position[label] for label in given[used]], np.intp)
    rows["class"] = np.array(terms.order)[truth]
    rows["age"] = ages(rows)
    sample = ClassifiedImages(
        labels=terms.order,
        truth=truth,
        decided=np.array([terms.order.index(name) for name in rows["decision"]], np.intp),
        probabilities=probabilities[used],
        groups=np.asarray(pd.factorize(rows["group"])[0], np.intp),
        scored=terms.scored,
    )
    return Judged(rows, sample, skipped)


def _check_columns(table: pd.DataFrame, terms: Terms) -> None:
    scores = [f"p_{label}" for label in terms.order] if terms.scored else []
    wanted = (*REQUIRED, "age", *scores)
    missing = [column for column in wanted if column not in table.columns]
    if missing:
        raise InputError(
            f"The predictions lack the columns {', '.join(missing)}; expected a table that "
            "`pulmo evaluate` or `pulmo screen` wrote with this very model."
        )
    for column in REQUIRED:
        check_none(table, table[column].isna(), f"have no {column}")
    check_none(table, table["path"].duplicated(), "are there more than once")
    if terms.known:
        unknown = ~table["label"].isin(terms.known)
        check_none(table, unknown, f"have a label that is none of {terms.known}")
    truths = table["positive"].isin([True, False])
    check_none(table, ~truths, "have a positive that is neither true nor false")
    known = table["decision"].isin(terms.order)
    check_none(table, ~known, f"have a decision that is none of {terms.order}")


def _probabilities(table: pd.DataFrame, terms: Terms) -> NDArray[np.float64]:
    values = numbers_of(table, terms)
    inside = np.asarray(((values >= 0) & (values <= 1)).all(axis=1))
    check_none(table, ~inside, "have a probability that is missing or not between 0 and 1")
    sums = np.asarray(np.abs(values.sum(axis=1) - 1) <= TOLERANCE)
    check_none(
        table,
        ~sums,
        f"have probabilities that do not sum to 1 within {TOLERANCE} (where a film may have "
        "several findings, name their truth y_<finding>, and leave out label)",
    )
    return values


def ages(table: pd.DataFrame) -> pd.Series:
    """Returns the column `age` as nullable numbers, also where all of them are missing.

    Raises:
        InputError: an age is no number.
    """
    try:
        return table["age"].astype("Float64")
    except (TypeError, ValueError) as error:
        raise InputError(f"The column age must hold years or nothing: {error}.") from error


def check_none(table: pd.DataFrame, wrong: pd.Series | NDArray[np.bool_], complaint: str) -> None:
    """Refuses a table with wrong rows.

    Args:
        table: the predictions.
        wrong: whether each row is wrong, [n].
        complaint: what is wrong, as it follows `3 of the 80 predictions`.

    Raises:
        InputError: there are wrong rows; the sentence names the first one's path.
    """
    places = np.flatnonzero(np.asarray(wrong, np.bool_))
    if len(places):
        first = table["path"].iloc[places[0]]
        raise InputError(
            f"{len(places)} of the {len(table)} predictions {complaint}; the first is of {first}."
        )
