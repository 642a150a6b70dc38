"""A table of predictions of any model: what it may leave out is filled in."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError
from pulmo.core.sources import UNSTATED
from pulmo.evaluate.terms import Terms

_PREFIX: Final = "p_"


def classes_of(table: pd.DataFrame) -> tuple[str, ...]:
    """Returns the classes that a table has probabilities of, in the order of its columns.

    Raises:
        InputError: there are fewer than two.
    """
    order = tuple(
        str(column).removeprefix(_PREFIX)
        for column in table.columns
        if str(column).startswith(_PREFIX) and len(str(column)) > len(_PREFIX)
    )
    if len(order) < 2:
        found = f"has only p_{order[0]}" if order else "has none"
        raise InputError(
            "The predictions need a column of probabilities for each class, p_ and its name (as "
            f"p_covid, p_normal), two or more that sum to 1; the table {found}."
        )
    if len(set(order)) < len(order):
        raise InputError("The predictions have two columns of probabilities of one class.")
    return order


def complete(table: pd.DataFrame, terms: Terms) -> pd.DataFrame:
    """Returns a table with the columns that judging needs, where those given allow to fill them.

    The group is that of the column `group`, else the patient, else each picture is one of its own.
    The decision is the class with the highest probability; where only decisions are known they are
    those, and there is no `positive_probability`. A result is positive where the summed
    probability of the positive classes reaches the threshold or, without one, where the decision is
    one of them.

    Args:
        table: `path`, `label`, a `p_<class>` for each class, and what else is known.
        terms: what it is judged by.

    Raises:
        InputError: `path`, `label` or a probability is lacking, or no number.
    """
    columns = [f"{_PREFIX}{label}" for label in terms.order] if terms.scored else ["decision"]
    missing = [name for name in ("path", "label", *columns) if name not in table.columns]
    if missing:
        raise InputError(
            f"The predictions lack the columns {', '.join(missing)}; a table needs path, label and "
            "a p_<class> for each class or, where a film has several findings, path and a "
            "y_<finding> beside each p_<finding>."
        )
    rows = with_context(table)
    if not terms.scored:
        return rows if "positive" in rows else rows.assign(positive=called_positive(rows, terms))
    probabilities = numbers_of(rows, terms)
    if "decision" not in rows:
        # A row without a probability is refused when it is judged, with its path.
        best = decided_class(np.nan_to_num(probabilities, nan=-1.0), terms)
        rows["decision"] = np.array(terms.order)[best]
    if "positive_probability" not in rows:
        rows["positive_probability"] = positive_probability(probabilities, terms)
    if "positive" not in rows:
        rows["positive"] = called_positive(rows, terms)
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


def numbers_of(table: pd.DataFrame, terms: Terms) -> NDArray[np.float64]:
    """Returns the probabilities as float64 [n, classes], NaN where one is missing.

    Where only decisions are known they are 1 for the class that was decided on, and 0 for others.

    Raises:
        InputError: a value is no number.
    """
    if not terms.scored:
        decided = table["decision"].to_numpy(object)
        return np.stack([decided == label for label in terms.order], axis=1).astype(np.float64)
    return numbers(table, [f"{_PREFIX}{label}" for label in terms.order])


def numbers(table: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.float64]:
    """Returns columns as float64 [n, columns], NaN where a value is missing.

    Raises:
        InputError: a value is no number.
    """
    try:
        return table[list(columns)].to_numpy(np.float64, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(f"The columns {', '.join(columns)} must hold numbers: {error}.") from error


def positive_probability(probabilities: NDArray[np.float64], terms: Terms) -> NDArray[np.float64]:
    """Returns the summed probability of the positive classes, [n]; 0 where there are none."""
    wanted = [terms.order.index(label) for label in terms.positive]
    return np.asarray(probabilities[:, wanted].sum(axis=1))


def decided_class(probabilities: NDArray[np.float64], terms: Terms) -> NDArray[np.intp]:
    """Returns the index of the class decided on, [n].

    It is that with the highest probability; where the terms ask whether one finding is there, it is
    the finding from its threshold on.
    """
    if not terms.single or terms.threshold is None:
        return np.asarray(probabilities.argmax(axis=1), np.intp)
    found = positive_probability(probabilities, terms) >= terms.threshold
    present = terms.order.index(terms.positive[0])
    return np.where(found, present, 1 - present)


def called_positive(rows: pd.DataFrame, terms: Terms) -> NDArray[np.bool_]:
    """Returns whether each result counts as positive, [n]."""
    if terms.threshold is None:
        return rows["decision"].isin(terms.positive).to_numpy(np.bool_)
    scores = rows["positive_probability"].to_numpy(np.float64, na_value=np.nan)
    return np.asarray(scores >= terms.threshold)
