"""The rule by which probabilities become results."""

import numpy as np
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.operating_point import BANDS, Bands, OperatingPoint, PredictionSets
from pulmo.stats.estimate import Estimate

NOTHING = Estimate.undefined("made up")
TABLE = np.array([[0.5, 0.3, 0.2], [0.2, 0.3, 0.5], [0.25, 0.25, 0.5], [0.1, 0.2, 0.7]])
CLASSES = ("tb", "flu", "clear")


def test_the_likeliest_class_is_decided_on_and_positive_classes_are_summed() -> None:
    found = DecisionRule(CLASSES, positive=("tb", "flu"), threshold=0.5).decide(TABLE)
    assert found.decided.tolist() == [0, 2, 2, 2]
    assert found.positive_probability == pytest.approx([0.8, 0.5, 0.5, 0.3])
    assert found.positive.tolist() == [True, True, True, False]
    assert (found.bands, found.sets) == (None, None)


def test_without_a_threshold_the_decided_class_is_positive() -> None:
    assert DecisionRule(CLASSES, positive=("tb",)).decide(TABLE).positive.tolist() == [
        True, False, False, False,
    ]  # fmt: skip
    assert not DecisionRule(CLASSES).decide(TABLE).positive.any()
    assert DecisionRule(CLASSES).decide(TABLE).positive_probability.tolist() == [0.0] * 4


def test_a_threshold_of_one_finding_decides_on_the_class_too() -> None:
    table = np.array([[0.9, 0.1], [0.3, 0.7], [0.2, 0.8]])
    found = DecisionRule.from_finding("tb", 0.3).decide(table)
    assert found.decided.tolist() == [0, 0, 1]
    assert found.positive.tolist() == [True, True, False]
    assert DecisionRule.from_finding("tb", None).decide(table).decided.tolist() == [0, 1, 1]


def test_bands_and_sets_are_those_of_their_limits() -> None:
    low, high = (
        OperatingPoint(threshold=at, aim=0.9, sensitivity=NOTHING, specificity=NOTHING)
        for at in (0.3, 0.8)
    )
    rule = DecisionRule(
        CLASSES,
        positive=("clear",),
        threshold=0.5,
        bands=Bands(rule_out=low, rule_in=high, shares={}),
        sets=PredictionSets(coverage=0.9, least=0.25, independent=1, covered=NOTHING, size=NOTHING),
    )
    scores = np.array([0.29, 0.3, 0.79, 0.8])
    found = rule.decide(np.column_stack([1 - scores, 0 * scores, scores]))
    assert found.bands is not None
    assert found.sets is not None
    assert [BANDS[place] for place in found.bands] == [
        "negative", "uncertain", "uncertain", "positive",
    ]  # fmt: skip
    assert found.sets.tolist() == [
        [True, False, True], [True, False, True], [False, False, True], [False, False, True],
    ]  # fmt: skip


def test_rules_that_fit_no_classes_are_refused() -> None:
    with refuses("positive-class-unknown", "'flu'", "tb, clear"):
        DecisionRule(("tb", "clear"), positive=("flu",))
    with refuses("positive-classes-invalid"):
        DecisionRule(("tb", "clear"), positive=("clear", "tb"))
    with refuses("threshold-invalid", "1.5"):
        DecisionRule(("tb", "clear"), positive=("tb",), threshold=1.5)


def test_a_card_gives_its_rule(card: Card) -> None:
    rule = card.decision_rule()
    assert rule.classes == ("covid", "pneumonia", "normal")
    assert [rule.class_of(each) for each in ("covid", "viral", "other")] == [
        "covid", "pneumonia", None,
    ]  # fmt: skip
    assert (rule.positive, rule.threshold) == (("covid", "pneumonia"), 0.5)
    assert "bacterial" in rule.vocabulary


def test_more_labels_may_be_merged(card: Card) -> None:
    rule = card.decision_rule().with_merges({"bacterial": "pneumonia"})
    assert rule.merges == {"viral": "pneumonia", "bacterial": "pneumonia"}
    with refuses("class-not-mergeable", "'covid'", "'pneumonia'"):
        rule.with_merges({"covid": "pneumonia"})
