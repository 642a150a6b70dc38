"""Outcome: what a network's outputs say of images, by the card of its model."""

from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.predictions.operating_point import BANDS, Band
from pulmo.radiograph import Note
from pulmo.radiograph.geometry import Box


class Prepared(NamedTuple):
    """An image that the model was meant for, as its network takes it.

    Attributes:
        input: uint8 [size, size].
        notes: what the reader assumed about the image or did to it, and what the model has to do
            with it.
        box: the part of the image that became the input; None if it is the whole image.
        lungs: what the model's network of the lungs saw, as `LungFinder.look` gives it; None if it
            has none.
    """

    input: NDArray[np.uint8]
    notes: tuple[Note, ...]
    box: Box | None = None
    lungs: NDArray[np.float32] | None = None


class Outputs(NamedTuple):
    """What the network gives for n images.

    Attributes:
        logits: float32 [n, classes], uncalibrated.
        activation: float32 [n, classes, rows, columns], class activation maps in units of the
            logit.
    """

    logits: NDArray[np.float32]
    activation: NDArray[np.float32]


class Outcome(NamedTuple):
    """The result for one image.

    Attributes:
        probabilities: class -> calibrated probability; they sum to one.
        decision: the class with the highest probability.
        positive_probability: summed probability of the card's positive classes.
        positive: whether that reaches the card's threshold.
        band: the triage band of that probability; None if the card has no bands.
        prediction_set: the classes that the image may be of, its conformal set; None if the card
            has none.
        activation: float32 [classes, rows, columns], in units of the logit.
        notes: what a user must know of the image and of the model to read the result.
        prepared: the image as the network took it; None if that was not kept.
    """

    probabilities: dict[str, float]
    decision: str
    positive_probability: float
    positive: bool
    band: Band | None
    prediction_set: tuple[str, ...] | None
    activation: NDArray[np.float32]
    notes: tuple[Note, ...] = ()
    prepared: Prepared | None = None

    @property
    def box(self) -> Box | None:
        """The part of the image over which the activation lies; None if that is the whole image."""
        return self.prepared and self.prepared.box


def probabilities(logits: NDArray[np.floating], temperature: float) -> NDArray[np.float64]:
    """Returns calibrated probabilities float64 [n, classes]: softmax of logits / temperature."""
    scaled = logits.astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return result


def outcomes(card: Card, outputs: Outputs) -> list[Outcome]:
    """Returns the results of n images out of the network's outputs.

    Raises:
        InputError: a logit is not a finite number.
    """
    if not np.isfinite(outputs.logits).all():
        raise InputError(
            "output-not-finite", f"The model {card.name} returned a value that is not a number."
        )
    rule, table = card.decision_rule(), probabilities(outputs.logits, card.temperature)
    decisions = rule.decide(table)
    bands, sets = decisions.bands, decisions.sets
    return [
        Outcome(
            probabilities=dict(zip(rule.classes, row.tolist(), strict=True)),
            decision=rule.classes[decisions.decided[i]],
            positive_probability=float(decisions.positive_probability[i]),
            positive=bool(decisions.positive[i]),
            band=None if bands is None else BANDS[bands[i]],
            prediction_set=None if sets is None else tuple(compress(rule.classes, sets[i])),
            activation=outputs.activation[i],
        )
        for i, row in enumerate(table)
    ]
