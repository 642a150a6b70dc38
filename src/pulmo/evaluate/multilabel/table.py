"""A table of predictions of several findings per image: it is checked, and becomes arrays."""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError, UsageError
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.predictions.table import ages, check_none, numbers, with_context
from pulmo.stats.multilabel.labelled import LabelledImages
from pulmo.stats.weights import Floats

THRESHOLD: Final = 0.5
"""Probability from which a finding is called, where neither table nor user says another."""

_CONTEXT: Final = (
    "path", "sha256", "group", "patient", "source", "origin", "root", "view", "sex", "age",
    "split", "width", "height",
)  # fmt: skip


class LabelsTable(NamedTuple):
    """Predictions of L findings of n images.

    Attributes:
        rows: the table with `group`, `source`, `age` and each `d_<label>` filled in.
        labels: the findings, in the order of their `y_` columns.
        truth: 1 where a finding is there, 0 where it is not, NaN where that is not labelled,
            [n, L].
        probabilities: [n, L] in [0, 1].
        called: whether each was called, [n, L].
        thresholds: of each, the probability from which it is called; None where the table says what
            was called.
    """

    rows: pd.DataFrame
    labels: tuple[str, ...]
    truth: Floats
    probabilities: Floats
    called: NDArray[np.bool_]
    thresholds: tuple[float | None, ...]

    def of_label(self, place: int) -> Predictions:
        """Returns the images labelled for one finding as predictions of two classes."""
        rule = DecisionRule.from_finding(self.labels[place], self.thresholds[place])
        known = ~np.isnan(self.truth[:, place])
        columns = [name for name in _CONTEXT if name in self.rows]
        rows = self.rows.loc[known, columns].reset_index(drop=True)
        names, called = np.array(rule.classes), self.called[known, place]
        scores = self.probabilities[known, place]
        rows["label"] = names[np.where(self.truth[known, place] == 1, 0, 1)]
        rows["decision"] = names[np.where(called, 0, 1)]
        rows["positive"] = called
        for name, values in zip(rule.classes, (scores, 1 - scores), strict=True):
            rows[f"p_{name}"] = values
        return Predictions.from_table(rows, rule)

    def to_images(self) -> LabelledImages:
        """Returns the arrays that metrics over all findings are computed from."""
        groups = pd.factorize(self.rows["group"])[0]
        return LabelledImages.from_arrays(
            self.labels, self.truth, self.called, self.probabilities, groups
        )


def labels_table(table: pd.DataFrame, threshold: float | None = None) -> LabelsTable:
    """Checks a table of several findings per image.

    Args:
        table: `path`, for each finding `y_<label>` (1, 0 or empty) and `p_<label>` in [0, 1], and
            perhaps its decision `d_<label>` (0 or 1); and what else is known.
        threshold: probability from which a finding without a decision is called; 0.5 if it is None.

    Raises:
        InputError: a column or a value is missing, or is none of those.
        UsageError: the threshold is no probability, or nothing is left to decide with it.
    """
    labels = _check_columns(table)
    given = set(_named("d_", table))
    if threshold is not None and given.issuperset(labels):
        raise UsageError(
            "threshold-with-decisions",
            "A threshold is given, but the table contains decisions already (its columns d_).",
        )
    limit = THRESHOLD if threshold is None else threshold
    thresholds = tuple(None if label in given else limit for label in labels)
    for label, own in zip(labels, thresholds, strict=True):
        DecisionRule.from_finding(label, own)  # refuses a threshold that is no probability
    check_none(table, table["path"].isna(), "have no path")
    check_none(table, table["path"].duplicated(), "are there more than once")
    truth, probabilities = _truth(table, labels), _probabilities(table, labels)
    called = probabilities >= limit
    for place, label in enumerate(labels):
        if label in given:
            called[:, place] = _decision(table, label)
    rows = with_context(table)
    check_none(rows, rows["group"].isna(), "have no group")
    rows["age"] = ages(rows)
    decisions = pd.DataFrame(called.astype(np.int8), columns=[f"d_{label}" for label in labels])
    kept = rows.drop(columns=decisions.columns, errors="ignore")
    return LabelsTable(
        pd.concat([kept, decisions], axis=1), labels, truth, probabilities, called, thresholds
    )


def _named(prefix: str, table: pd.DataFrame) -> tuple[str, ...]:
    """Returns what follows the prefix in the names of the columns that begin with it."""
    names = (str(column) for column in table.columns if str(column).startswith(prefix))
    return tuple(name.removeprefix(prefix) for name in names if len(name) > len(prefix))


def _check_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Returns the findings, after a look at whether each has its columns."""
    if "label" in table:
        raise InputError(
            "predictions-kind-ambiguous",
            "The predictions have a column label, for one class per image, and columns y_, for "
            "several findings per image. Remove the one that is not meant.",
        )
    if "path" not in table:
        raise InputError(
            "predictions-columns-missing",
            "The predictions have no column path, which identifies the images.",
        )
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(
            "predictions-column-repeated", f"The predictions have two columns {twice}."
        )
    truths, scores, decisions = (_named(prefix, table) for prefix in ("y_", "p_", "d_"))
    for label in scores:
        if label not in truths:
            raise InputError(
                "predictions-column-unpaired",
                f"The predictions have p_{label} without its truth y_{label}. Add y_{label}, "
                f"empty where an image is not labelled, or remove p_{label}.",
            )
    for label in (*truths, *decisions):
        if label not in scores:
            prefix = "y" if label in truths else "d"
            raise InputError(
                "predictions-column-unpaired",
                f"The predictions have {prefix}_{label} without its probability p_{label}. Add "
                f"p_{label}, or remove {prefix}_{label}.",
            )
    if table.empty:
        raise InputError("predictions-empty", "The predictions have no rows.")
    return truths


def _truth(table: pd.DataFrame, labels: Sequence[str]) -> Floats:
    """Returns the truth of each finding, [n, L], NaN where it is not known."""
    values = numbers(table, [f"y_{label}" for label in labels])
    for label, column in zip(labels, values.T, strict=True):
        check_none(
            table,
            column == -1,
            f"have a y_{label} of -1, which CheXpert gives what is uncertain; make it 1, 0 or "
            "empty, as the protocol that you follow says",
        )
        wrong = ~(np.isin(column, (0, 1)) | np.isnan(column))
        check_none(table, wrong, f"have a y_{label} that is neither 1, 0 nor empty")
    if np.isnan(values).all():
        raise InputError(
            "labels-missing",
            "No image is labelled: every y_ is empty.",
        )
    return values


def _probabilities(table: pd.DataFrame, labels: Sequence[str]) -> Floats:
    values = numbers(table, [f"p_{label}" for label in labels])
    for label, column in zip(labels, values.T, strict=True):
        wrong = ~((column >= 0) & (column <= 1))
        check_none(table, wrong, f"have a p_{label} that is missing or not between 0 and 1")
    return values


def _decision(table: pd.DataFrame, label: str) -> NDArray[np.bool_]:
    values = numbers(table, [f"d_{label}"])[:, 0]
    check_none(table, ~np.isin(values, (0, 1)), f"have a d_{label} that is neither 1 nor 0")
    return np.asarray(values == 1)
