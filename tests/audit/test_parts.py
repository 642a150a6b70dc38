"""What is asked: a bundle, or what someone says that a model predicted."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from pulmo.audit.check_result import CannotRun
from pulmo.audit.parts import UNKNOWN_INPUT, AuditedModel
from pulmo.bundle.card import Card
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.radiograph.grey.plain import PLAIN

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor


class Opened:
    """What a model takes of an opened bundle."""

    sha256 = "0" * 64

    def __init__(self, card: Card) -> None:
        self.card = card


def test_a_bundle_gives_what_its_card_says(make_card: Callable[..., Card]) -> None:
    card = make_card(("normal", "viral", "covid"), ("covid",))
    opened = cast("Predictor", Opened(card))
    model = AuditedModel.from_predictor(opened)
    assert model.name == ModelName(name="fake", version=card.created, sha256="0" * 64)
    assert model.rule.classes == ("normal", "viral", "covid")
    assert (model.rule.positive, model.rule.threshold) == (("covid",), 0.5)
    assert (model.image.size, model.image.aspect, model.image.grey) == (64, "squash", PLAIN)
    assert model.card is card
    assert model.network is opened


def test_of_predictions_there_is_no_network() -> None:
    name = ModelName(name="theirs", version="predictions", sha256="1" * 64)
    model = AuditedModel(name, DecisionRule(("tb", "clear")))
    assert model.card is None
    assert model.image == UNKNOWN_INPUT
    with pytest.raises(CannotRun, match="Only the predictions of this model are known"):
        _ = model.network
