"""Stated: the classes of a table as its authors send it, with the probability of each."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from pulmo.core.errors import InputError, UsageError
from pulmo.evaluate.reading.decisions import confident, decided_alone
from pulmo.evaluate.reading.labels import (
    is_coded,
    matching,
    read_as_note,
    respelled,
    usual,
    with_meaning,
)
from pulmo.evaluate.reading.one_score import check_decisions, sides_of
from pulmo.evaluate.reading.roles import CONTEXT, NEEDED
from pulmo.evaluate.reading.said import Said
from pulmo.evaluate.reading.score_columns import Score, is_plain, score_of, scores_of
from pulmo.evaluate.reading.shares import read_score, renormalised, rest_of
from pulmo.evaluate.reading.theirs import Stated, Theirs, with_classes
from pulmo.evaluate.reading.values import as_numbers

_ROLES = frozenset({*NEEDED, *CONTEXT})


def stated_classes(
    table: pd.DataFrame, said: Said, decided: str | None, *, decimal_comma: bool
) -> Stated:
    """Finds the classes of a table, and the probability of each.

    Args:
        table: its roles renamed, its values typed.
        said: what is said beside it.
        decided: what its column of decisions is called; None if it has none.
        decimal_comma: whether a comma in a number is its point.

    Raises:
        InputError: the classes cannot be known from the table.
        UsageError: what must be said beside it was not, or does not fit.
    """
    theirs = _fractions_are_scores(Theirs(table, said, decided, decimal_comma))
    scores = _scores(theirs)
    named = [score for score in scores if score.label is not None]
    if len(named) > 1:
        return _several(theirs, named)
    if len(scores) > 1:
        listed = ", ".join(score.column for score in scores)
        raise UsageError(
            f"The columns {listed} may each be the probability; say which with --score, as --score "
            f"{scores[0].column}."
        )
    if scores:
        return _single(theirs, scores[0])
    if "decision" in theirs.table:
        return confident(theirs) or decided_alone(theirs)
    raise InputError(
        "The predictions need a column of probabilities for each class, p_ and its name (as "
        "p_covid, p_normal), or one of one class, or a column prediction; the table has "
        f"{', '.join(table.columns)}. `pulmo evaluate --template` prints a table to fill in."
    )


def _fractions_are_scores(theirs: Theirs) -> Theirs:
    """Takes a column called prediction for one of probabilities, if it holds fractions."""
    if theirs.decided in (None, "decision") or theirs.said.decision:
        return theirs
    found = as_numbers(theirs.table["decision"], decimal_comma=theirs.decimal_comma)
    if found is None or (np.mod(found.array[~np.isnan(found.array)], 1) == 0).all():
        return theirs
    table = theirs.table.rename(columns={"decision": theirs.decided})
    return Theirs(table, theirs.said, None, theirs.decimal_comma, theirs.decided)


def _scores(theirs: Theirs) -> list[Score]:
    """Returns the columns of probabilities."""
    table, said = theirs.table, theirs.said
    if said.score is not None:
        column = matching(said.score, theirs.columns)
        if column is None:
            raise UsageError(
                f"--score names a column {said.score}, which the table lacks; it has "
                f"{', '.join(table.columns)}."
            )
        return [score_of(column, theirs.labels) or Score(column, None)]
    if is_plain(theirs.columns):
        return [Score(name, name[2:]) for name in theirs.columns if name[:2] == "p_" and name[2:]]
    known = [name for name in theirs.columns if name not in _ROLES and _is_score(theirs, name)]
    found = scores_of(known, theirs.labels)
    return found or ([Score(theirs.fractions, None)] if theirs.fractions else [])


def _is_score(theirs: Theirs, name: str) -> bool:
    """Tells whether a column is called as one of probabilities, and holds numbers."""
    score = score_of(name, theirs.labels)
    if score is None or theirs.table[name].dtype == bool:
        return False
    found = as_numbers(theirs.table[name], decimal_comma=theirs.decimal_comma)
    # A column that is called as a class and holds 1 and 0 may be the truth.
    return found is not None and not (score.label == name and np.isin(found.array, (0, 1)).all())


def _several(theirs: Theirs, scores: list[Score]) -> Stated:
    """Takes the probabilities of each class."""
    said, labels = theirs.said, theirs.labels
    notes: list[str] = []
    classes = [_class_of(score, labels, said.merge) for score in scores]
    table = _decided_apart(theirs, notes)
    coded = is_coded(labels) and not set(labels) & set(classes)
    positive = tuple(matching(label, classes) or label for label in said.positive)
    if coded:
        meaning = _meaning_of_codes(classes, positive)
    else:
        meaning = {} if not labels else respelled(table["label"], classes, said.merge)
        if "decision" in table:
            meaning |= respelled(table["decision"], classes, {})
    shares = [read_score(table, score, decimal_comma=theirs.decimal_comma) for score in scores]
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
    return Stated(made, positive, frozenset(used), tuple(notes))


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
            f"The labels are 0 and 1, and there are probabilities of {len(classes)} classes "
            f"({', '.join(classes)}); write each label as its class."
        )
    if len(positive) != 1 or positive[0] not in classes:
        raise UsageError(
            "The labels are 0 and 1, which does not say what class 1 is. Type "
            + " or ".join(f"--positive {label} if 1 is {label}" for label in classes)
            + "."
        )
    other = next(label for label in classes if label != positive[0])
    return {"1": positive[0], "0": other}


def _decided_apart(theirs: Theirs, notes: list[str]) -> pd.DataFrame:
    """Returns a table without decisions of another name than `decision`.

    Where the probability of each class is known the likeliest one is decided on, unless a user
    says which column holds the decisions.
    """
    if theirs.decided in (None, "decision") or theirs.said.decision:
        return theirs.table
    notes.append(
        f"{theirs.decided} was not used, for the class with the highest probability is decided on; "
        f"type --decision {theirs.decided} to judge the decisions in it."
    )
    return theirs.table.drop(columns="decision")


def _single(theirs: Theirs, score: Score) -> Stated:
    """Takes the probability of one of two classes."""
    table, said = theirs.table, theirs.said
    sides = sides_of(table, score, said)
    share = read_score(table, score, decimal_comma=theirs.decimal_comma)
    if share is None:
        raise InputError(f"The column {score.column} must hold numbers.")
    check_decisions(table, score, sides, share.array)
    meaning = dict(sides.meaning)
    if "decision" in table and not meaning.keys() >= {"0", "1"}:
        meaning |= respelled(table["decision"], (sides.of, sides.other), {})
    columns = {f"p_{sides.of}": share.array, f"p_{sides.other}": rest_of(share.array)}
    percent = ", in per cent" if share.percent else ""
    note = (
        f"{score.column} was read as the probability of {sides.of}{percent}; that of {sides.other} "
        "is the rest."
    )
    made = with_classes(with_meaning(table, meaning), columns, [score.column])
    notes = (note, *read_as_note(meaning))
    return Stated(made, sides.positive, frozenset({score.column}), notes)
