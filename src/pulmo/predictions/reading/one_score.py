"""One column of probabilities: that of one class, of which the other has the rest."""

from typing import NamedTuple, NoReturn

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import InputError, UsageError
from pulmo.predictions.reading.labels import (
    CODES,
    is_coded,
    matching,
    respelled,
    spelled_once,
    usual,
    values_of,
)
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.score_columns import Score


class Sides(NamedTuple):
    """The two classes of a table with one column of probabilities.

    Attributes:
        of: the class that the probability is of.
        other: the class that has the rest.
        positive: the classes that count as positive.
        meaning: label as it is written -> class.
    """

    of: str
    other: str
    positive: tuple[str, ...]
    meaning: dict[str, str]


def sides_of(table: pd.DataFrame, score: Score, options: Options) -> Sides:
    """Returns the two classes, as the header, the labels and the user state them.

    Raises:
        InputError: the labels are not two classes, or none is that of the column's name.
        UsageError: it is not stated which class the probability is of, or which class 1 is.
    """
    if "label" not in table:
        raise InputError(
            "label-column-missing",
            f"{score.column} is the only column of probabilities, and without the true classes "
            "(column label) the other class is not known.",
        )
    labels = [options.merge.get(value, value) for value in values_of(table["label"])]
    labels = list(dict.fromkeys(labels))
    return (
        _coded(labels, score, options)
        if is_coded(labels)
        else _worded(table, labels, score, options)
    )


def _coded(labels: list[str], score: Score, options: Options) -> Sides:
    """Returns the classes of labels that are 0 and 1."""
    if len(options.positive) != 1:
        raise UsageError(
            "positive-class-unstated",
            f"The labels are {' and '.join(sorted(labels))}, and it is not known which class 1 is.",
        )
    (one,) = options.positive
    if one in CODES:
        return Sides(one, "1" if one == "0" else "0", (one,), {})
    if score.label is None or matching(score.label, [one]):
        return Sides(one, f"no {one}", (one,), {"1": one, "0": f"no {one}"})
    return Sides(score.label, one, (one,), {"1": one, "0": score.label})


def _worded(table: pd.DataFrame, labels: list[str], score: Score, options: Options) -> Sides:
    """Returns the classes of labels that are names."""
    found = spelled_once(labels)
    if len(found) > 2:
        raise InputError(
            "probabilities-too-few",
            f"{score.column} is the only column of probabilities, but the labels are of "
            f"{len(found)} classes ({', '.join(found)}). One column is enough for two classes "
            "only.",
        )
    name = score.label or (options.positive[0] if len(options.positive) == 1 else None)
    if name is None:
        _not_stated(found, score)
    of = matching(name, found)
    if of is None:
        raise InputError(
            "score-class-not-label",
            f"{score.column} is read as the probability of {name}, but no label is {name}; the "
            f"labels are {', '.join(found)}. Write the class as the labels do.",
        )
    other = next((label for label in found if label != of), f"no {of}")
    of, other = usual(of, options.merge), usual(other, options.merge)
    positive = tuple(matching(label, (of, other)) or label for label in options.positive)
    return Sides(of, other, positive, respelled(table["label"], (of, other), options.merge))


def _not_stated(labels: list[str], score: Score) -> NoReturn:
    raise UsageError(
        "score-class-unstated",
        f"It is not known which class {score.column} is the probability of: {' or '.join(labels)}.",
    )


def check_decisions(
    table: pd.DataFrame, score: Score, sides: Sides, values: NDArray[np.float64]
) -> None:
    """Refuses a probability that seems to be that of whatever class was decided on.

    Raises:
        UsageError: none is below one half, though both classes were decided on.
    """
    if score.label is not None or "decision" not in table:
        return
    decided = set(values_of(table["decision"]))
    if len(decided) > 1 and np.nanmin(values) >= 0.5:
        raise UsageError(
            "score-seems-confidence",
            f"No value of {score.column} is below 0.5, although both "
            f"{' and '.join(sorted(decided))} were decided. It seems to be the probability of "
            f"the decided class, not of {sides.of}. If so, name the column confidence.",
        )
