"""Networks of parts: each answers for its own rows, in the order that was asked."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.refuses import refuses
from pulmo.audit.networks import Networks
from pulmo.bundle.card import Card
from pulmo.bundle.outcome import Outputs

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor

IMAGES = np.arange(5, dtype=np.uint8)[:, np.newaxis, np.newaxis]
NUMBERS = np.array([4, 0, 2, 1, 3])


class Adding:
    """Gives an image's grey plus a number as logits and as features."""

    def __init__(self, card: Card, number: float, *, features: bool = True) -> None:
        self.card, self.number, self.has_features = card, number, features

    def run(self, inputs: NDArray[np.uint8]) -> Outputs:
        logits = np.stack([np.zeros(len(inputs)), inputs[:, 0, 0] + self.number], axis=1)
        return Outputs(logits.astype(np.float32), np.zeros((len(inputs), 2, 1, 1), np.float32))

    def features(self, inputs: NDArray[np.uint8]) -> NDArray[np.float32] | None:
        return self.run(inputs).logits[:, 1:] if self.has_features else None


@pytest.fixture
def make(make_card: Callable[..., Card]) -> Callable[..., Networks]:
    def networks(numbers: tuple[float, float], *, features: bool = True) -> Networks:
        card = make_card()
        warm = card.model_copy(update={"temperature": 2.0})
        each = (Adding(card, numbers[0]), Adding(warm, numbers[1], features=features))
        part = np.array([0, 0, 1, 1, 1])
        return Networks([cast("Predictor", one) for one in each], part)

    return networks


def test_each_answers_for_its_own_rows(make: Callable[..., Networks]) -> None:
    networks = make((10.0, 20.0))
    logits = networks.run(IMAGES[NUMBERS], NUMBERS).logits
    assert logits[:, 1].tolist() == [24.0, 10.0, 22.0, 11.0, 23.0]
    found = networks.features(IMAGES[NUMBERS], NUMBERS)
    assert found is not None
    assert found[:, 0].tolist() == logits[:, 1].tolist()
    said = networks.calibrated(np.array([[0.0, 2.0]] * 2, np.float32), np.array([0, 4]))
    np.testing.assert_allclose(said[:, 1], 1 / (1 + np.exp([-2.0, -1.0])))


def test_features_that_one_lacks_are_none(make: Callable[..., Networks]) -> None:
    assert make((1.0, 2.0), features=False).features(IMAGES[NUMBERS], NUMBERS) is None


def test_what_is_not_a_number_is_an_error(make: Callable[..., Networks]) -> None:
    with refuses("output-not-finite", "fake"):
        make((1.0, np.nan)).run(IMAGES[NUMBERS], NUMBERS)
