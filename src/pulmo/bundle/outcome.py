"""Outcome: what a network's outputs say of images, by the card of its model."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Band, Card
from pulmo.core.errors import InputError
from pulmo.radiograph import Note


class Outputs(NamedTuple):
    """What the network gives for n pictures.

    Attributes:
        logits: float32 [n, classes], uncalibrated.
        activation: float32 [n, classes, rows, columns], class activation maps in units of the
            logit.
    """

    logits: NDArray[np.float32]
    activation: NDArray[np.float32]


class Outcome(NamedTuple):
    """The result for one picture.

    Attributes:
        probabilities: class -> calibrated probability; they sum to one.
        decision: the class with the highest probability.
        positive_probability: summed probability of the card's positive classes.
        positive: whether that reaches the card's threshold.
        band: the triage band of that probability; None if the card has no bands.
        classes: the classes that the picture may be of, its conformal set; None if the card has
            none.
        activation: float32 [classes, rows, columns], in units of the logit.
        notes: what a user must know of the picture and of the model to read the result.
    """

    probabilities: dict[str, float]
    decision: str
    positive_probability: float
    positive: bool
    band: Band | None
    classes: tuple[str, ...] | None
    activation: NDArray[np.float32]
    notes: tuple[Note, ...] = ()


def probabilities(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Returns calibrated probabilities float64 [n, classes]: softmax of logits / temperature."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def positive_probability(
    table: NDArray[np.float64], labels: tuple[str, ...], positive: tuple[str, ...]
) -> NDArray[np.float64]:
    """Returns float64 [n], the summed probability of the positive classes."""
    columns = [labels.index(label) for label in positive]
    result: NDArray[np.float64] = table[:, columns].sum(axis=1)
    return result


def outcomes(card: Card, outputs: Outputs) -> list[Outcome]:
    """Returns the results of n pictures out of the network's outputs.

    Raises:
        InputError: a logit is not a finite number.
    """
    if not np.isfinite(outputs.logits).all():
        raise InputError(f"The model {card.name} gave a result that is not a number.")
    labels = card.labels.order
    table = probabilities(outputs.logits, card.temperature)
    positive = positive_probability(table, labels, card.decision.positive)
    return [
        _outcome(card, dict(zip(labels, row.tolist(), strict=True)), float(score), activation)
        for row, score, activation in zip(table, positive, outputs.activation, strict=True)
    ]


def _outcome(
    card: Card, probabilities: dict[str, float], score: float, activation: NDArray[np.float32]
) -> Outcome:
    return Outcome(
        probabilities=probabilities,
        decision=max(probabilities, key=probabilities.__getitem__),
        positive_probability=score,
        positive=score >= card.decision.threshold,
        band=None if card.bands is None else card.bands.of(score),
        classes=None if card.sets is None else card.sets.of(probabilities),
        activation=activation,
    )
