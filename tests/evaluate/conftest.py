"""The card of the model that made the predictions."""

import pytest

from pulmo.bundle.card import Card


@pytest.fixture
def card(merging_card: Card) -> Card:
    return merging_card
