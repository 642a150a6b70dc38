"""A card, and made-up predictions of the model that it describes."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import pytest

from fixtures.predictions import random_probabilities
from pulmo.bundle.card import Card
from pulmo.evaluate.sample import Sample


class MakeSample(Protocol):
    """Makes a random sample; see `make_sample`."""

    def __call__(
        self, n: int, labels: Sequence[str] = "abc", skill: float = 1.0, per_group: int = 1
    ) -> Sample: ...


@pytest.fixture
def generator() -> np.random.Generator:
    return np.random.default_rng(20)


@pytest.fixture
def card(merging_card: Card) -> Card:
    return merging_card


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
