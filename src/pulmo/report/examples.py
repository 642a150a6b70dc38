"""Gallery: which results are true and false, positive and negative, and examples of each."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.message import Message
from pulmo.core.record import Record
from pulmo.evaluate.evaluation import EvaluatedData, ModelName
from pulmo.predictions.predictions import Predictions
from pulmo.report.gallery import pick

Kind = Literal["true positive", "false positive", "false negative", "true negative"]
Place = Literal["most confident", "least confident"]

KINDS: Final[tuple[Kind, ...]] = (
    "false negative",
    "false positive",
    "true positive",
    "true negative",
)
"""In the order of the page: what went wrong first."""


class Example(Record):
    """An image of a true or false, positive or negative result."""

    file: str
    """Name of its file, without folders."""
    sha256: str
    kind: Kind
    confidence: Place
    """Whether its probability is among the farthest from the other result, or among the nearest."""
    probability: float
    """The question's."""
    truth: str
    """Its true class."""
    decision: str
    """The class that the model decided on."""
    positive: bool
    """Whether the model called it positive."""
    probabilities: Mapping[str, float]
    """Class -> calibrated probability."""
    source: str
    explained: str
    """The class whose evidence is shown."""
    share_in_lungs: float | None
    """Share of the positive values of the map inside the lungs; None if no lungs were found, or no
    value is positive."""


class Question(Record):
    """One question that the model answers, such as whether an image is of a class."""

    classes: tuple[str, ...]
    """The classes that are asked for."""
    threshold: float | None
    """The summed probability from which the answer is yes; None if it is yes where the model
    decides on the class, which is the one with the highest probability."""
    counts: Mapping[Kind, int]
    examples: tuple[Example, ...]


class Gallery(Record):
    """What a gallery of a model's results shows."""

    format: Literal[1] = 1
    model: ModelName
    method: str
    """How the maps were made, with its parameters."""
    data: EvaluatedData
    warnings: tuple[Message, ...]
    """What the images do not show, and what is missing."""
    questions: tuple[Question, ...]


class Asked(NamedTuple):
    """A question with its answers on n images.

    Attributes:
        classes: the classes that are asked for.
        threshold: as `Question.threshold`.
        present: whether the true class is one of them, bool [n].
        answered: whether the answer is yes, bool [n].
        probability: summed probability of the classes, [n].
    """

    classes: tuple[str, ...]
    threshold: float | None
    present: NDArray[np.bool_]
    answered: NDArray[np.bool_]
    probability: NDArray[np.float64]

    @property
    def kinds(self) -> NDArray[np.str_]:
        """The kind of each result, [n]."""
        right = np.where(self.present == self.answered, "true", "false")
        return np.char.add(right, np.where(self.answered, " positive", " negative"))


def questions_of(predictions: Predictions) -> Iterator[Asked]:
    """Yields the question of the decision rule, and then whether each class was decided on.

    Args:
        predictions: of images whose labels all count as a class.
    """
    rule = predictions.rule
    if rule.positive:
        yield Asked(
            rule.positive,
            rule.threshold,
            predictions.of_positive_class,
            predictions.positive,
            predictions.positive_probability,
        )
    for number, label in enumerate(rule.classes):
        yield Asked(
            (label,),
            None,
            predictions.truth == number,
            predictions.decided == number,
            predictions.probabilities[:, number],
        )


def select_examples(predictions: Predictions, asked: Asked, most: int) -> pd.DataFrame:
    """Picks the most and the least confident images of each kind of result.

    A group appears once for each question, unless a kind has nothing else to show. Equal
    probabilities are ordered by path, so that the choice is always the same.

    Args:
        predictions: the images.
        asked: the question with its answers on them.
        most: images of each kind that are most confident, and as many that are least.

    Returns:
        The picked rows in the order of `KINDS`, most confident first, with four columns more:
        `truth` (a class), `kind`, `confidence` and `probability`.
    """
    rows = predictions.frame.assign(
        truth=predictions.classes, kind=asked.kinds, probability=asked.probability
    )
    # The farther a probability is from the other answer, the more confident the result.
    rows["surety"] = np.where(asked.answered, asked.probability, -asked.probability)
    rows = rows.sort_values(["surety", "path"], ascending=[False, True], ignore_index=True)
    used: set[str] = set()
    picked: dict[int, str] = {}
    for kind in KINDS:
        own = rows[rows["kind"] == kind]
        first = list(pick(own, most, used))
        last = list(pick(own.drop(index=first).iloc[::-1], most, used))
        picked |= dict.fromkeys(first, "most confident")
        picked |= dict.fromkeys(reversed(last), "least confident")
    chosen = rows.loc[list(picked)].drop(columns="surety")
    return chosen.assign(confidence=list(picked.values())).reset_index(drop=True)
