"""The parts of an evaluation other than its metrics, on one table of predictions."""

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from pulmo.evaluate.confusion import classification_report, confusion
from pulmo.evaluate.contrasts import pairs
from pulmo.evaluate.curves import POINTS, precision_recall, precision_recall_curves
from pulmo.evaluate.decision import decision_metrics, histograms, sweep
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.evaluate.subgroups import MOST, subgroups
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.stats.proportions import Proportion, predictive_value

RULE = DecisionRule(("tb", "flu", "clear"), positive=("tb", "flu"), threshold=0.6)
NONE = DecisionRule(RULE.classes)


def make_table(n: int, generator: np.random.Generator) -> pd.DataFrame:
    """Predictions of n images, two of each patient, who has one class."""
    truth = np.repeat(generator.integers(3, size=(n + 1) // 2), 2)[:n]
    logits = generator.normal(size=(n, 3))
    logits[np.arange(n), truth] += 1.2
    values = np.exp(logits)
    values /= values.sum(axis=1, keepdims=True)
    table = pd.DataFrame(
        {
            "path": [f"/{number}.png" for number in range(n)],
            "label": np.array(RULE.classes)[truth],
            "patient": [f"p{number // 2}" for number in range(n)],
        }
    )
    for place, label in enumerate(RULE.classes):
        table[f"p_{label}"] = values[:, place]
    return table


def labelled(table: pd.DataFrame, rule: DecisionRule = RULE) -> Predictions:
    return Predictions.from_table(table, rule).labelled()


def evaluation_of(table: pd.DataFrame, rule: DecisionRule = RULE) -> Evaluation:
    model = ModelName(name="m", version="1", sha256="0" * 64)
    resampling = Resampling(np.random.default_rng(0), 100)
    predictions = Predictions.from_table(table, rule)
    return evaluate(predictions, Provenance(model, "0" * 64), resampling, prevalence=None)


@pytest.fixture
def table(generator: np.random.Generator) -> pd.DataFrame:
    return make_table(200, generator)


def wanted_of(table: pd.DataFrame) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    wanted = (table["label"] != "clear").to_numpy()
    return wanted, (table["p_tb"] + table["p_flu"]).to_numpy()


class TestConfusion:
    def test_it_is_the_references(self, table: pd.DataFrame) -> None:
        predictions = labelled(table)
        expected = reference.confusion_matrix(
            predictions.classes, predictions.frame["decision"], labels=RULE.classes
        )
        np.testing.assert_array_equal(confusion(predictions.classified), expected)

    def test_the_report_is_the_references(self, table: pd.DataFrame) -> None:
        predictions = labelled(table)
        expected = reference.classification_report(
            predictions.classes,
            predictions.frame["decision"],
            labels=RULE.classes,
            output_dict=True,
        )
        found = classification_report(predictions.classified)
        assert {*found} == {*expected} - {"accuracy"}
        for name, row in found.items():
            values = (row.precision, row.recall, row.f1, row.support)
            words = ("precision", "recall", "f1-score", "support")
            assert values == pytest.approx([expected[name][word] for word in words])

    def test_what_is_undefined_is_none(self, table: pd.DataFrame) -> None:
        sick = labelled(table[table["label"] != "clear"].assign(decision="tb"))
        report = classification_report(sick.classified)
        assert report["flu"].precision is None
        assert report["flu"].recall == 0
        assert report["clear"].recall is None
        assert report["macro avg"].precision is None


class TestDecision:
    def test_its_figures_are_the_references(self, table: pd.DataFrame) -> None:
        found = decision_metrics(labelled(table), 0.02)
        wanted, scores = wanted_of(table)
        called = scores >= 0.6
        expected = {
            "sensitivity": reference.recall_score(wanted, called),
            "specificity": reference.recall_score(~wanted, ~called),
            "auc": reference.roc_auc_score(wanted, scores),
            "ppv": reference.precision_score(wanted, called),
            "npv": reference.precision_score(~wanted, ~called),
        }
        rates = reference.class_likelihood_ratios(wanted, called)
        expected["positive_likelihood_ratio"], expected["negative_likelihood_ratio"] = rates
        for name, value in expected.items():
            estimate = getattr(found, name)
            assert estimate.value == pytest.approx(value)
            assert estimate.low is not None
            assert estimate.low < value
        assert found.prevalence == 0.02
        assert found.ppv_at_prevalence is not None
        assert found.npv_at_prevalence is not None
        odds = 0.02 / 0.98
        assert found.ppv_at_prevalence.value == pytest.approx(
            odds * rates[0] / (1 + odds * rates[0])
        )
        assert found.npv_at_prevalence.value == pytest.approx(1 / (1 + odds * rates[1]))

    def test_the_prevalence_of_the_images_gives_their_own_values(self, table: pd.DataFrame) -> None:
        wanted, scores = wanted_of(table)
        called = scores >= 0.6
        rows = np.arange(200)
        sides = (
            Proportion.from_hits(called[wanted], rows[wanted]),
            Proportion.from_hits(called[~wanted], rows[~wanted]),
        )
        value = predictive_value(*sides, float(wanted.mean())).value
        assert value == pytest.approx(reference.precision_score(wanted, called))

    def test_without_a_positive_class_there_is_none(self, table: pd.DataFrame) -> None:
        found = decision_metrics(labelled(table, NONE), None)
        assert "undefined (no class is named as positive" in str(found.sensitivity)
        assert found.threshold is None
        assert found.auc is None
        assert sweep(labelled(table, NONE)) == ()

    def test_the_sweep_is_the_references(self, table: pd.DataFrame) -> None:
        points = sweep(labelled(table))
        assert [point.threshold for point in points[:3]] == [0, 0.01, 0.02]
        assert len(points) == 101
        wanted, scores = wanted_of(table)
        for point in points[5:90:17]:
            called = scores >= point.threshold
            (true_no, false_yes), (_, true_yes) = reference.confusion_matrix(wanted, called)
            assert point.sensitivity == pytest.approx(reference.recall_score(wanted, called))
            assert point.specificity == pytest.approx(true_no / (~wanted).sum())
            assert point.ppv == pytest.approx(reference.precision_score(wanted, called))
            assert point.npv == pytest.approx(reference.precision_score(~wanted, ~called))
            odds = point.threshold / (1 - point.threshold)
            assert point.net_benefit == pytest.approx((true_yes - odds * false_yes) / 200)
            share = wanted.mean()
            assert point.treat_all == pytest.approx(share - (1 - share) * odds)

    def test_the_ends_of_the_sweep(self, table: pd.DataFrame) -> None:
        first, *_, last = sweep(labelled(table))
        assert (first.sensitivity, first.specificity, first.npv) == (1, 0, None)
        assert first.net_benefit == first.treat_all
        assert (last.sensitivity, last.specificity, last.ppv) == (0, 1, None)
        assert (last.net_benefit, last.treat_all) == (None, None)
        assert sweep(labelled(table[table["label"] == "clear"])) == ()

    def test_histograms_hold_every_image_once(self, table: pd.DataFrame) -> None:
        for rule in (RULE, NONE):
            found = histograms(labelled(table, rule))
            counts = {label: sum(one.counts) for label, one in found.items()}
            assert counts == table["label"].value_counts().to_dict()
        scores = wanted_of(table)[1][table["label"] == "clear"]
        expected = np.histogram(scores, 20, (0, 1))[0]
        found = histograms(labelled(table))
        assert found["clear"].counts == tuple(expected.tolist())


class TestPairs:
    def test_each_two_classes_are_held_against_each_other(self, table: pd.DataFrame) -> None:
        found = pairs(labelled(table).classified)
        names = [(one.first, one.second) for one in found]
        assert names == [("tb", "flu"), ("tb", "clear"), ("flu", "clear")]
        two = table[table["label"] != "flu"]
        share = two["p_tb"] / (two["p_tb"] + two["p_clear"])
        assert found[1].auc.value == pytest.approx(
            reference.roc_auc_score(two["label"] == "tb", share)
        )
        assert found[1].auc.n == len(two)

    def test_an_absent_class_has_no_pair(self, table: pd.DataFrame) -> None:
        found = pairs(labelled(table[table["label"] != "flu"]).classified)
        assert [(one.first, one.second) for one in found] == [("tb", "clear")]


class TestPatients:
    def test_probabilities_are_averaged(self, table: pd.DataFrame) -> None:
        found = labelled(table).by_patient()
        assert found is not None
        means = table.groupby("patient", sort=False)[["p_tb", "p_flu", "p_clear"]].mean()
        np.testing.assert_allclose(found.predictions.probabilities, means)
        assert found.predictions.frame["patient"].tolist() == means.index.tolist()
        best = np.array(RULE.classes)[means.to_numpy().argmax(axis=1)]
        assert found.predictions.frame["decision"].tolist() == best.tolist()
        positive = (means["p_tb"] + means["p_flu"]).to_numpy() >= 0.6
        assert found.predictions.frame["positive"].tolist() == positive.tolist()
        assert found.mixed == 0

    def test_a_patient_of_several_classes_is_left_out_and_counted(
        self, table: pd.DataFrame
    ) -> None:
        table.loc[:1, "label"] = ["tb", "clear"]
        found = labelled(table).by_patient()
        assert found is not None
        assert found.mixed == 1
        assert "p0" not in set(found.predictions.frame["patient"])
        assert len(found.predictions) == 99

    def test_one_image_each_needs_none(self, table: pd.DataFrame) -> None:
        assert labelled(table.drop(columns="patient")).by_patient() is None
        assert labelled(table[::2]).by_patient() is None

    def test_a_threshold_of_one_finding_decides_on_the_mean(self, table: pd.DataFrame) -> None:
        rows = table.assign(label=table["label"].replace({"flu": "no tb", "clear": "no tb"}))
        rows["p_no tb"] = 1 - rows["p_tb"]
        for threshold in (0.3, None):
            rule = DecisionRule.from_finding("tb", threshold)
            found = labelled(rows, rule).by_patient()
            assert found is not None
            means = rows.groupby("patient", sort=False)["p_tb"].mean().to_numpy()
            decided = np.where(means >= (threshold or 0.5), "tb", "no tb")
            assert found.predictions.frame["decision"].tolist() == decided.tolist()
            called = found.predictions.frame["positive"].to_numpy()
            assert (called == (decided == "tb")).all()

    def test_no_patient_of_one_class_gives_none(self, table: pd.DataFrame) -> None:
        two = table[:2].assign(label=["tb", "clear"])
        assert labelled(two).by_patient() is None

    def test_the_evaluation_tells_of_both(self, table: pd.DataFrame) -> None:
        table.loc[:1, "label"] = ["tb", "clear"]
        found = evaluation_of(table)
        assert found.patients is not None
        assert (found.data.n, found.patients.n, found.patients.mixed) == (200, 99, 1)
        assert found.patients.overall["accuracy"].n == 99
        assert sum(map(sum, found.patients.confusion)) == 99
        assert "mixed-patients" in {each.kind for each in found.warnings}


class TestSubgroups:
    def test_every_fact_that_differs_is_there(self, table: pd.DataFrame) -> None:
        table["view"] = ["PA"] * 150 + ["AP"] * 40 + [None] * 10
        table["sex"] = "F"
        table["source"] = ["east", "west"] * 100
        table["age"] = [5.0, 17, 18, 39.5, 64, 65, 90, None] * 25
        table["width"], table["height"] = 3000, [400, 600, 1024, 5000] * 50
        found = subgroups(labelled(table))
        assert [(one.fact, one.name, one.n) for one in found] == [
            ("source", "east", 100),
            ("source", "west", 100),
            ("view", "AP", 40),
            ("view", "PA", 150),
            ("view", "not known", 10),
            ("age", "below 18 years", 50),
            ("age", "18 to 39 years", 50),
            ("age", "40 to 64 years", 25),
            ("age", "65 years or more", 50),
            ("age", "not known", 25),
            ("shorter side", "below 512 px", 50),
            ("shorter side", "512 to 1023 px", 50),
            ("shorter side", "1024 to 2047 px", 50),
            ("shorter side", "2048 px or more", 50),
        ]
        rows = table[150:190]
        wanted, scores = wanted_of(rows)
        assert found[2].auc.value == pytest.approx(reference.roc_auc_score(wanted, scores))
        assert found[2].sensitivity.value == pytest.approx(((scores >= 0.6)[wanted]).mean())
        assert found[2].specificity.n == (~wanted).sum()
        assert found[2].groups == 20

    def test_without_facts_there_are_none(self, table: pd.DataFrame) -> None:
        assert subgroups(labelled(table)) == ()

    def test_without_a_positive_class_only_the_accuracy_is_known(self, table: pd.DataFrame) -> None:
        found = subgroups(labelled(table.assign(sex=["F", "M"] * 100), NONE))
        assert [one.accuracy.value is None for one in found] == [False, False]
        assert str(found[0].auc) == "undefined (no class is named as positive)"

    def test_only_the_largest_of_many_are_shown(self, table: pd.DataFrame) -> None:
        names = [f"s{min(number // 4, 30):02d}" for number in range(200)]
        found = subgroups(labelled(table.assign(source=names)))
        assert len(found) == MOST
        assert "s30" in {one.name for one in found}


class TestPrecisionRecall:
    def test_a_thinned_curve_keeps_its_ends_and_its_area(
        self, generator: np.random.Generator
    ) -> None:
        positive = np.arange(20_000) < 4_000
        scores = generator.normal(size=20_000) + 1.5 * positive
        curve = precision_recall(scores, positive)
        assert len(curve.recall) <= POINTS
        assert (curve.recall[0], curve.precision[0]) == (0, 1)
        assert curve.recall[-1] == 1
        area = reference.average_precision_score(positive, scores)
        assert reference.auc(curve.recall, curve.precision) == pytest.approx(area, abs=3e-3)

    def test_a_class_on_one_side_only_has_none(self, table: pd.DataFrame) -> None:
        sample = labelled(table[table["label"] != "flu"]).classified
        assert [*precision_recall_curves(sample)] == ["tb", "clear"]


class TestScarceData:
    def test_three_images_are_evaluated_and_said_to_be_too_few(self, table: pd.DataFrame) -> None:
        few = pd.concat([table[table["label"] == label][:1] for label in RULE.classes])
        found = evaluation_of(few)
        assert found.data.n == 3
        for label in RULE.classes:
            assert any(
                each.kind == "few-images" and f"1 image of {label}:" in each.text
                for each in found.warnings
            )
            assert found.classes[label]["auc"].low is None
            assert found.classes[label]["auc"].reason is not None
        assert "resamples have no value" in str(found.overall["balanced_accuracy"])
        assert found.overall["accuracy"].low is not None
        assert found.overall["accuracy"].low < 0.5

    def test_one_class_is_evaluated_and_what_it_cannot_show_is_null(
        self, table: pd.DataFrame
    ) -> None:
        found = evaluation_of(table[table["label"] == "tb"])
        for name in ("macro_auc", "pairwise_auc"):
            expected = "undefined (it needs images of two or more classes)"
            assert str(found.overall[name]) == expected
        assert found.classes["tb"]["specificity"].reason == "every image is tb"
        assert found.decision.specificity.reason == "every image is tb or flu"
        assert found.sweep == ()
        assert found.pairs == ()
        assert any(each.kind == "no-images" and "flu" in each.text for each in found.warnings)

    def test_unknown_labels_and_sources_are_said(self, table: pd.DataFrame) -> None:
        table.loc[:2, "label"] = "mystery"
        found = evaluation_of(table)
        assert found.data.skipped == {"mystery": 3}
        assert found.contrasts == ()
        said = {each.kind: each.text for each in found.warnings}
        assert "3 images" in said["unknown-labels"]
        assert "197 images" in said["unstated-source"]
