from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pulmo.bundle.card import Card
from pulmo.evaluate.calibrated import band_shares, set_metrics
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.operating_point import Bands, OperatingPoint, PredictionSets
from pulmo.predictions.predictions import Predictions
from pulmo.stats.estimate import Estimate

MakePredictions = Callable[..., pd.DataFrame]

NOTHING = Estimate.undefined("made up")


@pytest.fixture
def rule(card: Card) -> DecisionRule:
    out, into = (
        OperatingPoint(threshold=at, aim=0.9, sensitivity=NOTHING, specificity=NOTHING)
        for at in (0.4, 0.7)
    )
    sets = PredictionSets(coverage=0.9, least=0.25, independent=1, covered=NOTHING, size=NOTHING)
    bands = Bands(rule_out=out, rule_in=into, shares={})
    return card.model_copy(update={"bands": bands, "sets": sets}).decision_rule()


@pytest.fixture
def table(make_predictions: MakePredictions) -> pd.DataFrame:
    return make_predictions({"covid@city": 40, "viral@city": 25, "normal@clinic": 50})


def test_shares_of_the_bands_are_counts(table: pd.DataFrame, rule: DecisionRule) -> None:
    found = band_shares(Predictions(table, rule))
    scores, ill = table["positive_probability"], table["label"] != "normal"
    inside = {
        "negative": scores < 0.4,
        "uncertain": (scores >= 0.4) & (scores < 0.7),
        "positive": scores >= 0.7,
    }
    assert list(found) == list(inside)
    for band, shares in found.items():
        assert shares.images.value == pytest.approx(inside[band].mean())
        assert shares.positives.value == pytest.approx(inside[band][ill].mean())
        assert shares.negatives.value == pytest.approx(inside[band][~ill].mean())
        assert (shares.images.n, shares.positives.n, shares.negatives.n) == (115, 65, 50)


def test_sets_are_counted(table: pd.DataFrame, rule: DecisionRule) -> None:
    found = set_metrics(Predictions(table, rule))
    assert found is not None
    truth = table["label"].replace({"viral": "pneumonia"})
    held = pd.DataFrame({label: table[f"p_{label}"] >= 0.25 for label in rule.classes})
    covered = np.array([held[label][row] for row, label in enumerate(truth)])
    assert found.coverage == 0.9
    assert found.covered.value == pytest.approx(covered.mean())
    for label, estimate in found.classes.items():
        own = (truth == label).to_numpy()
        assert estimate.value == pytest.approx(covered[own].mean())
        assert estimate.n == own.sum()
    sizes = held.sum(axis=1)
    assert found.size.value == pytest.approx(sizes.mean())
    assert found.sizes == tuple((sizes == size).sum() for size in range(4))


def test_a_class_without_images_has_no_coverage(
    make_predictions: MakePredictions, rule: DecisionRule
) -> None:
    predictions = Predictions(make_predictions({"covid@city": 9}), rule)
    found = set_metrics(predictions)
    assert found is not None
    assert found.classes["normal"].reason == "no image is normal"
    assert band_shares(predictions)["negative"].negatives.reason


def test_without_bands_and_sets_there_are_no_figures(
    table: pd.DataFrame, rule: DecisionRule
) -> None:
    bare = replace(rule, bands=None, sets=None)
    predictions = Predictions(table, bare)
    assert band_shares(predictions) == {}
    assert set_metrics(predictions) is None
