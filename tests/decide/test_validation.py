from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.datasets.manifest import Manifest
from pulmo.decide.aim import Aim
from pulmo.decide.validation import check_validation, threshold_for


@pytest.fixture
def predictor(bundle: Path) -> Predictor:
    return Predictor.open(bundle, threads=1)


def test_the_threshold_reaches_its_aim_on_the_images_given(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    val = images[images["split"] == "val"]
    calls: list[tuple[int, int]] = []
    point = threshold_for(
        Aim("specificity", 0.5), predictor, Manifest(val), lambda *done: calls.append(done)
    )
    table = predict_manifest(predictor, Manifest(val)).predictions.frame
    spared = (table["positive_probability"] < point.threshold)[table["label"] != "covid"]
    assert spared.mean() == point.specificity.value
    assert spared.mean() >= 0.5
    drawn = val.sort_values("sha256").drop_duplicates("group")
    assert point.independent == (drawn["label"] != "covid").sum()
    assert calls == [(len(val), len(val))]


def test_what_the_card_says_of_its_decision_is_found_again(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    """The network that was trained and the one that ships choose the same threshold."""
    card = predictor.card
    assert card.bands is not None
    aim = Aim("sensitivity", card.decision.aim)
    point = threshold_for(aim, predictor, Manifest(images[images["split"] == "val"]))
    assert point.threshold == pytest.approx(card.bands.rule_out.threshold, abs=1e-5)
    assert point.sensitivity == card.bands.rule_out.sensitivity
    assert point.reason == card.bands.rule_out.reason


def test_validation_images_of_the_training_s_manifest_pass(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    check_validation(predictor.card, Manifest(images))
    check_validation(predictor.card, Manifest(images.assign(source="other")), elsewhere=True)


def test_a_manifest_that_a_threshold_cannot_be_fitted_on_is_refused(
    predictor: Predictor, images: pd.DataFrame
) -> None:
    card = predictor.card
    with refuses("manifest-not-of-training", "demo"):
        check_validation(card, Manifest(images.assign(source="other")))
    with refuses("validation-images-missing"):
        check_validation(card, Manifest(images[images["split"] != "val"]))
    with refuses("validation-shares-patients", "1"):
        check_validation(card, Manifest(images.assign(group="one")), elsewhere=True)
