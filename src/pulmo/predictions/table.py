"""The columns of a table of predictions: what may be left out is filled in, the rest is checked."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.noted import count_kinds
from pulmo.core.sources import UNSTATED
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.radiograph.notes import SAYS

REQUIRED: Final = ("path", "label", "group", "source", "decision", "positive")
"""Columns that must be there without gaps, apart from `age` and the probabilities."""

TOLERANCE: Final = 2e-3
"""How far the probabilities of an image may be from summing to 1: four, rounded to 0.001."""

_PREFIX: Final = "p_"


def classes_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Returns the classes that a table has probabilities of, in the order of its columns.

    Raises:
        InputError: there are fewer than two.
    """
    classes = tuple(
        str(column).removeprefix(_PREFIX)
        for column in table.columns
        if str(column).startswith(_PREFIX) and len(str(column)) > len(_PREFIX)
    )
    if len(classes) < 2:
        found = f"has only p_{classes[0]}" if classes else "has none"
        raise InputError(
            "probabilities-missing",
            "The predictions need a column of probabilities for each class, named p_ and the "
            "class (such as p_covid and p_normal), and two or more that sum to 1; the table "
            f"{found}.",
        )
    if len(set(classes)) < len(classes):
        raise InputError(
            "probabilities-repeated",
            "The predictions have two columns of probabilities of one class.",
        )
    return classes


def score_columns(classes: Sequence[str]) -> list[str]:
    """Returns the names of the columns that hold the probabilities of classes."""
    return [f"{_PREFIX}{label}" for label in classes]


def complete(table: pd.DataFrame, rule: DecisionRule) -> pd.DataFrame:
    """Returns a table with all columns of predictions, where those given allow to fill them.

    The group is that of the column `group`, else the patient, else each image is one of its own.
    The decision and whether a result is positive are those of the table, else follow from the
    rule. `positive_probability` always follows from the probabilities.

    Args:
        table: `path`, `label`, a `p_<class>` for each class or, where only decisions are known,
            `decision`; and what else is known.
        rule: of the model.

    Raises:
        InputError: `path`, `label`, a probability or a decision is lacking or is no such value.
    """
    columns = score_columns(rule.classes) if rule.scored else ["decision"]
    missing = [name for name in ("path", "label", *columns) if name not in table.columns]
    if missing:
        raise InputError(
            "predictions-columns-missing",
            f"The predictions lack the columns {', '.join(missing)}. A table needs path, label "
            "and one p_<class> per class or, if an image has several findings, path and a "
            "y_<finding> for each p_<finding>.",
        )
    rows = with_context(table)
    if not rule.scored:
        _check_decision(rows, rule)
    found = rule.decide(checked_probabilities(rows, rule))
    if "decision" not in rows:
        rows["decision"] = np.array(rule.classes)[found.decided]
    if rule.scored:
        rows["positive_probability"] = found.positive_probability
    if "positive" not in rows:
        _check_decision(rows, rule)
        decided = rows["decision"].map(rule.classes.index).to_numpy(np.intp)
        rows["positive"] = rule.is_positive(found.positive_probability, decided)
    return rows


def with_context(table: pd.DataFrame) -> pd.DataFrame:
    """Returns a table, numbered from 0, with `group`, `source` and `age` filled in as `complete`.

    Args:
        table: it has a column `path`.
    """
    rows = table.reset_index(drop=True).copy()
    if "group" not in rows:
        rows["group"] = rows["path"]
        if "patient" in rows:
            rows["group"] = rows["patient"].astype("string").fillna(rows["path"].astype("string"))
    if "source" not in rows:
        rows["source"] = UNSTATED
    rows["source"] = rows["source"].astype("string").fillna(UNSTATED)
    if "age" not in rows:
        rows["age"] = pd.array([None] * len(rows), "Float64")
    return rows


def checked(table: pd.DataFrame, rule: DecisionRule) -> pd.DataFrame:
    """Returns a table of predictions, numbered from 0, its ages as numbers, after all checks.

    Args:
        table: one row an image, with `path`, `label` (of all images, or of none), `group`,
            `source`, `age` (nullable), `decision`, `positive` and, if the rule is of probabilities,
            `p_<class>` for each class.
        rule: of the model.

    Raises:
        InputError: a column or a value is missing, a path is there twice, a label or decision is
            unknown, an age is no number, or the probabilities are not in [0, 1] or do not sum to 1.
    """
    scores = score_columns(rule.classes) if rule.scored else []
    missing = [name for name in (*REQUIRED, "age", *scores) if name not in table.columns]
    if missing:
        raise InputError(
            "predictions-not-of-model",
            f"The predictions lack the columns {', '.join(missing)}. A table that was written "
            "with this model was expected.",
        )
    unlabelled = bool(table["label"].isna().all())
    for column in REQUIRED:
        if column != "label" or not unlabelled:
            check_none(table, table[column].isna(), f"have no {column}")
    check_none(table, table["path"].duplicated(), "are there more than once")
    if rule.vocabulary and not unlabelled:
        unknown = ~table["label"].isin(rule.vocabulary)
        check_none(table, unknown, f"have a label that is none of {rule.vocabulary}")
    truths = table["positive"].isin([True, False])
    check_none(table, ~truths, "have a positive that is neither true nor false")
    _check_decision(table, rule)
    checked_probabilities(table, rule)
    return table.reset_index(drop=True).assign(age=ages(table).array)


def _check_decision(table: pd.DataFrame, rule: DecisionRule) -> None:
    known = table["decision"].isin(rule.classes)
    check_none(table, ~known, f"have a decision that is none of {rule.classes}")


def checked_probabilities(table: pd.DataFrame, rule: DecisionRule) -> NDArray[np.float64]:
    """Returns the probabilities as float64 [n, K].

    Where only decisions are known they are 1 for the class that was decided on, and 0 for others.

    Raises:
        InputError: a value is missing, no number or not in [0, 1], or the sum of an image is not 1.
    """
    if not rule.scored:
        decided = table["decision"].to_numpy(object)
        return np.stack([decided == label for label in rule.classes], axis=1).astype(np.float64)
    values = numbers(table, score_columns(rule.classes))
    inside = np.asarray(((values >= 0) & (values <= 1)).all(axis=1))
    check_none(table, ~inside, "have a probability that is missing or not between 0 and 1")
    sums = np.asarray(np.abs(values.sum(axis=1) - 1) <= TOLERANCE)
    check_none(
        table,
        ~sums,
        f"have probabilities that do not sum to 1 within {TOLERANCE} (where an image may have "
        "several findings, name their truth y_<finding>, and leave out label)",
    )
    return values


def numbers(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Returns columns as float64 [n, columns], NaN where a value is missing.

    Raises:
        InputError: a value is no number.
    """
    try:
        return table[list(columns)].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            "column-not-numeric", f"The columns {', '.join(columns)} must contain numbers: {error}."
        ) from error


def ages(table: pd.DataFrame) -> pd.Series:
    """Returns the column `age` as nullable numbers, also where all of them are missing.

    Raises:
        InputError: an age is no number.
    """
    try:
        return table["age"].astype("Float64")
    except (TypeError, ValueError) as error:
        raise InputError(
            "age-invalid", f"The column age must contain years or be empty: {error}."
        ) from error


def image_notes(table: pd.DataFrame) -> dict[str, int] | None:
    """Returns kind of note -> images, the commonest first; None where the table does not tell.

    Args:
        table: with the columns `notes` and `sha256` of a manifest if they are known. A column
            `notes` that holds anything else, as a user's own words, tells nothing.
    """
    if not {"notes", "sha256"} <= set(table):
        return None
    counts = count_kinds(table["notes"])
    return counts if counts.keys() <= SAYS.keys() else None


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
            "predictions-value-invalid",
            f"{len(places)} of the {len(table)} predictions {complaint}; the first is of {first}.",
        )
