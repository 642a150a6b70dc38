"""Decisions of a table whose classes have no probabilities, or only that of the one decided on."""

from typing import Final

import numpy as np

from pulmo.core.errors import InputError
from pulmo.predictions.reading.labels import (
    CODES,
    is_coded,
    matching,
    read_as_note,
    respelled,
    spelled_once,
    usual,
    values_of,
    with_meaning,
)
from pulmo.predictions.reading.roles import bare
from pulmo.predictions.reading.score_columns import CONFIDENCE, Score
from pulmo.predictions.reading.shares import read_score, rest_of
from pulmo.predictions.reading.tables import ClassTable, SentTable, with_classes

_DECISIONS_ONLY: Final = (
    "The table contains decisions and no probabilities: AUC, calibration and other metrics of "
    "probabilities are not known."
)


def confident(sent: SentTable) -> ClassTable | None:
    """Takes the probability of the class decided on, of two classes; None if there is none."""
    table = sent.table
    found = [name for name in sent.columns if bare(name) in CONFIDENCE]
    if len(found) != 1:
        return None
    stated = decided_alone(sent)
    decided = stated.table["decision"]
    labels = [sent.options.merge.get(each, each) for each in values_of(stated.table["label"])]
    classes = spelled_once([*labels, *values_of(decided)])
    share = read_score(table, Score(found[0], None), decimal_comma=sent.decimal_comma)
    if len(classes) != 2 or share is None:
        return None
    if np.nanmin(share.array) < 0.5:
        raise InputError(
            "confidence-below-half",
            f"{found[0]} is the probability of the decided class, but has values below 0.5, "
            "where the other of two classes is more likely. If it is the probability of one "
            "class, name the column p_ and the class.",
        )
    first, second = classes
    is_first = (decided == first).to_numpy(np.bool_, na_value=False)
    columns = {
        f"p_{first}": np.where(is_first, share.array, rest_of(share.array)),
        f"p_{second}": np.where(is_first, rest_of(share.array), share.array),
    }
    note = f"{found[0]} was read as the probability of the class decided on."
    made = with_classes(stated.table, columns, found)
    kept = [each for each in stated.notes if each != _DECISIONS_ONLY]
    return ClassTable(made, stated.positive, frozenset(found), (*kept, note))


def decided_alone(sent: SentTable) -> ClassTable:
    """Takes decisions alone."""
    table, options = sent.table, sent.options
    if "label" not in table:
        raise InputError(
            "label-column-missing",
            "Decisions cannot be evaluated without the true classes (column label).",
        )
    labels, decided = sent.labels, values_of(table["decision"])
    if is_coded([*labels, *decided]) and len(options.positive) == 1:
        (one,) = options.positive
        meaning = {} if one in CODES else {"1": one, "0": f"no {one}"}
        positive: tuple[str, ...] = options.positive
    else:
        classes = [usual(label, options.merge) for label in spelled_once(labels)]
        meaning = respelled(table["label"], classes, options.merge)
        meaning |= respelled(table["decision"], classes, {})
        positive = tuple(matching(each, classes) or each for each in options.positive)
        known = {options.merge.get(label, label) for label in labels} | set(classes)
        if not known & {meaning.get(each, each) for each in decided}:
            raise InputError(
                "decisions-not-labels",
                f"No value of {sent.decided} ({', '.join(decided[:5])}) is a label "
                f"({', '.join(labels[:5])}). Write the decisions as the labels.",
            )
    notes = (*read_as_note(meaning), _DECISIONS_ONLY)
    made = with_classes(with_meaning(table, meaning), {}, [])
    return ClassTable(made, positive, frozenset(), notes)
