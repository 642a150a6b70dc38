"""A card, and made-up predictions of the model that it describes."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from pulmo.bundle.card import Card
from pulmo.core.labels import LabelScheme
from pulmo.evaluate.sample import Sample


class MakeSample(Protocol):
    """Makes a random sample; see `make_sample`."""

    def __call__(
        self, n: int, labels: Sequence[str] = "abc", skill: float = 1.0, per_group: int = 1
    ) -> Sample: ...


class MakePredictions(Protocol):
    """Makes a random table of predictions; see `make_predictions`."""

    def __call__(self, counts: dict[str, int], skill: float = 1.0) -> pd.DataFrame: ...


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20)


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


def random_probabilities(
    truth: NDArray[np.intp], classes: int, skill: float, generator: np.random.Generator
) -> NDArray[np.float64]:
    """Returns softmax probabilities whose true class has a logit that is `skill` higher.

    They are rounded to 0.01, so that some pictures tie.
    """
    logits = generator.normal(size=(len(truth), classes))
    logits[np.arange(len(truth)), truth] += skill
    raised = np.exp(logits)
    rounded = np.round(raised / raised.sum(axis=1, keepdims=True), 2)
    rounded[:, -1] = np.clip(1 - rounded[:, :-1].sum(axis=1), 0, 1)
    return np.asarray(rounded)


@pytest.fixture
def make_sample(generator: np.random.Generator) -> MakeSample:
    def make(
        n: int, labels: Sequence[str] = "abc", skill: float = 1.0, per_group: int = 1
    ) -> Sample:
        truth = generator.permutation(np.arange(n) % len(labels)).astype(np.intp)
        probabilities = random_probabilities(truth, len(labels), skill, generator)
        return Sample(
            labels=tuple(labels),
            truth=truth,
            decided=probabilities.argmax(axis=1),
            probabilities=probabilities,
            groups=np.arange(n) // per_group,
        )

    return make


@pytest.fixture
def make_predictions(card: Card, generator: np.random.Generator) -> MakePredictions:
    """Predictions for `counts` pictures a `label@source`, each picture a group of its own."""

    def make(counts: dict[str, int], skill: float = 1.0) -> pd.DataFrame:
        places = [place.split("@") for place, n in counts.items() for _ in range(n)]
        order = card.labels.order
        truth = np.array([card.labels.index(label) or 0 for label, _ in places], np.intp)
        probabilities = random_probabilities(truth, len(order), skill, generator)
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
