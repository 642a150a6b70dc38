"""The classes of a table as its authors send it, with the probability of each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pulmo.core.errors import InputError, UsageError
from pulmo.predictions.reading.decisions import confident, decided_alone
from pulmo.predictions.reading.labels import (
    is_coded,
    matching,
    read_as_note,
    respelled,
    usual,
    with_meaning,
)
from pulmo.predictions.reading.one_score import check_decisions, sides_of
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.roles import CONTEXT, NEEDED
from pulmo.predictions.reading.score_columns import Score, is_plain, score_of, scores_of
from pulmo.predictions.reading.shares import read_score, renormalised, rest_of
from pulmo.predictions.reading.tables import ClassTable, SentTable, with_classes
from pulmo.predictions.reading.values import as_numbers

_ROLES = frozenset({*NEEDED, *CONTEXT})


def find_classes(
    table: pd.DataFrame, options: Options, decided: str | None, *, decimal_comma: bool
) -> ClassTable:
    """Finds the classes of a table, and the probability of each.

    Args:
        table: its roles renamed, its values typed.
        options: what the user says of it.
        decided: what its column of decisions is called; None if it has none.
        decimal_comma: whether a comma in a number is its point.

    Raises:
        InputError: the classes cannot be known from the table.
        UsageError: what the user must say of it is missing, or does not fit.
    """
    sent = _fractions_are_scores(SentTable(table, options, decided, decimal_comma))
    scores = _scores(sent)
    named = [score for score in scores if score.label is not None]
    if len(named) > 1:
        return _several(sent, named)
    if len(scores) > 1:
        listed = ", ".join(score.column for score in scores)
        raise UsageError(
            "score-column-ambiguous",
            f"Each of the columns {listed} may be the probability.",
        )
    if scores:
        return _single(sent, scores[0])
    if "decision" in sent.table:
        return confident(sent) or decided_alone(sent)
    raise InputError(
        "probabilities-missing",
        "The predictions need a column of probabilities for each class, named p_ and the class "
        "(such as p_covid and p_normal), or one of one class, or a column prediction; the table "
        f"has {', '.join(table.columns)}.",
    )


def _fractions_are_scores(sent: SentTable) -> SentTable:
    """Takes a column called prediction for one of probabilities, if it holds fractions."""
    if sent.decided in (None, "decision") or sent.options.decision:
        return sent
    found = as_numbers(sent.table["decision"], decimal_comma=sent.decimal_comma)
    if found is None or (np.mod(found.array[~np.isnan(found.array)], 1) == 0).all():
        return sent
    table = sent.table.rename(columns={"decision": sent.decided})
    return SentTable(table, sent.options, None, sent.decimal_comma, sent.decided)


def _scores(sent: SentTable) -> list[Score]:
    """Returns the columns of probabilities."""
    table, options = sent.table, sent.options
    if options.score is not None:
        column = matching(options.score, sent.columns)
        if column is None:
            raise UsageError(
                "column-unknown",
                f"The table has no column {options.score} to read as probability; it has "
                f"{', '.join(table.columns)}.",
            )
        return [score_of(column, sent.labels) or Score(column, None)]
    if is_plain(sent.columns):
        return [Score(name, name[2:]) for name in sent.columns if name[:2] == "p_" and name[2:]]
    known = [name for name in sent.columns if name not in _ROLES and _is_score(sent, name)]
    found = scores_of(known, sent.labels)
    return found or ([Score(sent.fractions, None)] if sent.fractions else [])


def _is_score(sent: SentTable, name: str) -> bool:
    """Tells whether a column is called as one of probabilities, and holds numbers."""
    score = score_of(name, sent.labels)
    if score is None or sent.table[name].dtype == bool:
        return False
    found = as_numbers(sent.table[name], decimal_comma=sent.decimal_comma)
    # A column that is called as a class and holds 1 and 0 may be the truth.
    return found is not None and not (score.label == name and np.isin(found.array, (0, 1)).all())


def _several(sent: SentTable, scores: list[Score]) -> ClassTable:
    """Takes the probabilities of each class."""
    options, labels = sent.options, sent.labels
    notes: list[str] = []
    classes = [_class_of(score, labels, options.merge) for score in scores]
    table = _decided_apart(sent, notes)
    coded = is_coded(labels) and not set(labels) & set(classes)
    positive = tuple(matching(label, classes) or label for label in options.positive)
    if coded:
        meaning = _meaning_of_codes(classes, positive)
    else:
        meaning = {} if not labels else respelled(table["label"], classes, options.merge)
        if "decision" in table:
            meaning |= respelled(table["decision"], classes, {})
    shares = [read_score(table, score, decimal_comma=sent.decimal_comma) for score in scores]
    used = [score.column for score in scores]
    if not any(share is None for share in shares):
        known = [share for share in shares if share is not None]
        values, note = renormalised(np.stack([share.array for share in known], axis=1))
        notes += [note] if note else []
        if any(share.percent for share in known):
            notes.append(f"Per cent were divided by 100: {', '.join(used)}.")
        columns = {f"p_{name}": column for name, column in zip(classes, values.T, strict=True)}
    else:
        columns = {f"p_{name}": table[each] for name, each in zip(classes, used, strict=True)}
    if [f"p_{name}" for name in classes] != used:
        pairs = (f"{each} as that of {name}" for each, name in zip(used, classes, strict=True))
        notes.insert(0, f"Probabilities read: {', '.join(pairs)}.")
    notes += read_as_note(meaning)
    made = with_classes(with_meaning(table, meaning), columns, used)
    return ClassTable(made, positive, frozenset(used), tuple(notes))


def _class_of(score: Score, labels: list[str], merge: Mapping[str, str]) -> str:
    """Returns a class as `p_<class>` spells it or, in other forms, as pulmo or the labels do."""
    name = score.label or ""
    if score.column == f"p_{name}":
        return name
    if name not in labels:
        name = next((label for label in labels if matching(label, [name])), name)
    return usual(name, merge)


def _meaning_of_codes(classes: list[str], positive: tuple[str, ...]) -> dict[str, str]:
    """Returns what 0 and 1 mean where two classes are named, and one of them as positive."""
    if len(classes) != 2:
        raise InputError(
            "labels-are-numbers",
            f"The labels are 0 and 1, but there are probabilities of {len(classes)} classes "
            f"({', '.join(classes)}). Write each label as its class.",
        )
    if len(positive) != 1 or positive[0] not in classes:
        raise UsageError(
            "positive-class-unstated",
            "The labels are 0 and 1, and it is not known which class 1 is: "
            f"{' or '.join(classes)}.",
        )
    other = next(label for label in classes if label != positive[0])
    return {"1": positive[0], "0": other}


def _decided_apart(sent: SentTable, notes: list[str]) -> pd.DataFrame:
    """Returns a table without decisions of another name than `decision`.

    Where the probability of each class is known the likeliest one is decided on, unless a user
    says which column holds the decisions.
    """
    if sent.decided in (None, "decision") or sent.options.decision:
        return sent.table
    notes.append(
        f"The column {sent.decided} was not used: the decision is the class with the highest "
        f"probability. To evaluate the decisions in it, name it decision."
    )
    return sent.table.drop(columns="decision")


def _single(sent: SentTable, score: Score) -> ClassTable:
    """Takes the probability of one of two classes."""
    table, options = sent.table, sent.options
    sides = sides_of(table, score, options)
    share = read_score(table, score, decimal_comma=sent.decimal_comma)
    if share is None:
        raise InputError("column-not-numeric", f"The column {score.column} must contain numbers.")
    check_decisions(table, score, sides, share.array)
    meaning = dict(sides.meaning)
    if "decision" in table and not meaning.keys() >= {"0", "1"}:
        meaning |= respelled(table["decision"], (sides.of, sides.other), {})
    columns = {f"p_{sides.of}": share.array, f"p_{sides.other}": rest_of(share.array)}
    percent = ", in per cent" if share.percent else ""
    note = (
        f"{score.column} was read as the probability of {sides.of}{percent}; the probability of "
        f"{sides.other} is 1 minus it."
    )
    made = with_classes(with_meaning(table, meaning), columns, [score.column])
    notes = (note, *read_as_note(meaning))
    return ClassTable(made, sides.positive, frozenset({score.column}), notes)
