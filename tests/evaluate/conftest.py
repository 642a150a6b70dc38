"""A card, and made-up predictions of the model that it describes."""

from collections.abc import Callable
from typing import Protocol

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.labels import LabelScheme

DrawProbabilities = Callable[[NDArray[np.intp], int, float], NDArray[np.float64]]


class MakePredictions(Protocol):
    """Makes a random table of predictions; see `make_predictions`."""

    def __call__(self, counts: dict[str, int], skill: float = 1.0) -> pd.DataFrame: ...


@pytest.fixture
def card(plain_card: Card) -> Card:
    called = ("covid", "pneumonia")
    return plain_card.model_copy(
        update={
            "name": "three-way",
            "labels": LabelScheme((*called, "normal"), {"viral": "pneumonia"}),
            "decision": plain_card.decision.model_copy(update={"positive": called}),
        }
    )


@pytest.fixture
def make_predictions(card: Card, draw_probabilities: DrawProbabilities) -> MakePredictions:
    """Predictions for `counts` pictures a `label@source`, each picture a group of its own."""

    def make(counts: dict[str, int], skill: float = 1.0) -> pd.DataFrame:
        places = [place.split("@") for place, n in counts.items() for _ in range(n)]
        order = card.labels.order
        truth = np.array([card.labels.index(label) or 0 for label, _ in places], np.intp)
        probabilities = draw_probabilities(truth, len(order), skill)
        wanted = [order.index(label) for label in card.decision.positive]
        table = pd.DataFrame(
            {
                "path": [f"/pictures/{number}.png" for number in range(len(places))],
                "sha256": "0" * 64,
                "label": [label for label, _ in places],
                "group": [f"patient {number}" for number in range(len(places))],
                "source": [source for _, source in places],
                "split": "test",
                "view": None,
                "age": pd.array([None] * len(places), "Float64"),
                "sex": None,
                "decision": [order[index] for index in probabilities.argmax(axis=1)],
                "positive_probability": probabilities[:, wanted].sum(axis=1),
            }
        )
        table["positive"] = table["positive_probability"] >= card.decision.threshold
        for position, label in enumerate(order):
            table[f"p_{label}"] = probabilities[:, position]
        return table

    return make
