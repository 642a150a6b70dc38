"""Compared models, their paired tests, and the comparison of all."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from fixtures.refuses import refuses
from pulmo.bundle.card import Card, read_card
from pulmo.compare.compared_models import read_entries
from pulmo.compare.pairing import corrected
from pulmo.core.files import write_atomically
from pulmo.core.folders import EvaluationFolder
from pulmo.core.labels import LabelScheme
from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName
from pulmo.predictions.predictions import Predictions
from pulmo.report.comparison import PairedTest
from pulmo.stats.estimate import Estimate
from pulmo.stats.paired import auc_difference
from pulmo.workflows.compare import compare
from pulmo.workflows.evaluation_report import report_of
from pulmo.workflows.repeated_runs import Repeat
from pulmo.workflows.summarise import summarise

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")

Make = Callable[..., Path]
SKILLS = (("a", 1.0), ("b", 2.0))


@pytest.fixture
def card(cross_validation: list[Repeat]) -> Card:
    """A card of two classes, covid and normal, into which the other labels are merged."""
    return read_card(cross_validation[0].run.card)


@pytest.fixture
def make(card: Card, tmp_path: Path) -> Make:
    """Writes the evaluation of a made-up model, which is the better the higher its skill."""

    def make(
        name: str,
        skill: float,
        *,
        count: int = 60,
        described: bool = True,
        card: Card = card,
        source: str = "phantom",
        merges: dict[str, str] | None = None,
    ) -> Path:
        folder = EvaluationFolder(tmp_path / name)
        report = report_of(
            Predictions(
                _predictions(card, skill, count).assign(source=source),
                card.decision_rule().with_merges(merges or {}),
            ),
            Provenance(ModelName(name=name, version="1", sha256="0" * 64), "0" * 64, "test"),
        )
        report.save(folder.root, page=False)
        if described:
            write_atomically(folder.card, card.to_json().encode())
        return folder.root

    return make


def _predictions(card: Card, skill: float, count: int) -> pd.DataFrame:
    """Returns predictions whose noise depends on the skill, and whose images on their place."""
    generator = np.random.default_rng(int(skill * 1000))
    labels = np.array(["covid", "normal", "viral"])[np.arange(count) % 3]
    positive = labels == "covid"
    p = 1 / (1 + np.exp(-(generator.normal(size=count) + skill * (2 * positive - 1))))
    rest = [label for label in card.labels.order if label != "covid"]
    table = pd.DataFrame(
        {
            "path": [f"/images/{n}.png" for n in range(count)],
            "sha256": [f"{n:064x}" for n in range(count)],
            "label": labels,
            "patient": None,
            "group": [f"patient {n}" for n in range(count)],
            "source": "phantom",
            "view": None,
            "age": pd.array([None] * count, "Float64"),
            "sex": None,
            "split": "test",
            "p_covid": p,
            **{f"p_{label}": (1 - p) / len(rest) for label in rest},
            "positive_probability": p,
            "positive": p >= 0.5,
        }
    )
    order = list(card.labels.order)
    best = table[[f"p_{label}" for label in order]].to_numpy().argmax(axis=1)
    return table.assign(decision=np.array(order)[best])


class TestPairedTests:
    """Two models on the very same images."""

    def test_they_are_delongs_and_mcnemars_of_the_matched_images(
        self, make: Make, card: Card
    ) -> None:
        weak, strong = make("weak", 0.5), make("strong", 2.0)
        # The rows of one are in another order, which must not matter.
        predictions = EvaluationFolder(strong).predictions
        pd.read_parquet(predictions).sample(frac=1, random_state=0).to_parquet(predictions)
        auc, accuracy, within = compare([weak, strong]).comparison.tests
        one, two = _predictions(card, 2.0, 60), _predictions(card, 0.5, 60)
        positive = (one["label"] == "covid").to_numpy()
        scores = np.stack([one["p_covid"], two["p_covid"]])
        expected = auc_difference(positive, scores, np.arange(60))
        assert auc.difference == pytest.approx(expected.estimate)
        assert auc.p == pytest.approx(expected.p)
        assert (auc.name, auc.against, auc.of, auc.test) == ("strong", "weak", "covid", "DeLong")
        right = [(side["p_covid"] >= 0.5).to_numpy() == positive for side in (one, two)]
        gained, lost = (right[0] & ~right[1]).sum(), (right[1] & ~right[0]).sum()
        assert accuracy.p == pytest.approx(binomtest(gained, gained + lost).pvalue)
        assert accuracy.difference.value == pytest.approx((gained - lost) / 60)
        assert accuracy.test == "McNemar, exact"
        # All images are from one source and of two classes.
        assert (within.metric, within.difference) == ("within_source_auc", auc.difference)

    def test_each_is_tested_against_the_first_or_the_one_named(self, make: Make) -> None:
        folders = [make(name, skill) for name, skill in (("a", 0.5), ("b", 1.0), ("c", 2.0))]
        comparison = compare(folders).comparison
        assert [(test.name, test.against) for test in comparison.tests] == [
            *[("b", "a")] * 3, *[("c", "a")] * 3,
        ]  # fmt: skip
        against = compare(folders, against=folders[2]).comparison
        assert {test.against for test in against.tests} == {"c"} == {against.against}
        assert {test.name for test in against.tests} == {"a", "b"}
        found = [test.difference.value for test in against.tests if test.name == "a"]
        assert found == pytest.approx(
            [-(test.difference.value or 0) for test in comparison.tests if test.name == "c"]
        )
        assert not comparison.notes

    def test_images_of_no_stated_source_are_reported(self, make: Make) -> None:
        folders = [make("a", 0.5, source="unstated"), make("b", 1.0)]
        (note,) = compare(folders).comparison.notes
        assert note.startswith(
            "a: The source (hospital or public data set) of 60 images is not stated"
        )

    def test_other_images_or_labels_are_not_tested(self, make: Make) -> None:
        base, fewer, relabelled = make("a", 1.0), make("b", 1.0, count=57), make("c", 2.0)
        predictions = EvaluationFolder(relabelled).predictions
        table = pd.read_parquet(predictions)
        table["label"] = table["label"].replace("viral", "bacterial")
        table.to_parquet(predictions)
        comparison = compare([base, fewer, relabelled]).comparison
        assert not comparison.tests
        assert comparison.notes == (
            (
                "No paired test of b and a: they were evaluated on other images, 57 and 60 with 57 "
                "in common."
            ),
            (
                "No paired test of c and a: the same images have other labels, or are there more "
                "than once."
            ),
        )

    def test_with_other_classes_only_what_both_tell_is_tested(self, make: Make, card: Card) -> None:
        three = _with_labels(card, ("covid", "viral", "normal"), ("covid",))
        comparison = compare([make("a", 1.0), make("b", 2.0, card=three)]).comparison
        assert [test.metric for test in comparison.tests] == ["auc"]
        assert comparison.notes == (
            "The accuracies of b and a are not tested: their classes differ.",
        )
        other = _with_labels(card, ("covid", "viral", "normal"), ("covid", "viral"))
        comparison = compare([make("c", 1.0, card=three), make("d", 2.0, card=other)]).comparison
        assert [test.metric for test in comparison.tests] == ["accuracy"]
        assert comparison.notes == (
            "The AUCs of d and c are not tested: their positive classes differ.",
        )

    def test_merged_labels_are_those_of_the_evaluation(self, make: Make) -> None:
        known, bare = make("a", 1.0), make("b", 2.0, described=False)
        comparison = compare([known, bare]).comparison
        metrics = ["auc", "accuracy", "within_source_auc"]
        assert [test.metric for test in comparison.tests] == metrics
        assert not comparison.notes
        assert comparison.models[1].recipe is None

    def test_labels_merged_by_an_evaluation_are_tested(self, make: Make, card: Card) -> None:
        plain = card.model_copy(update={"labels": LabelScheme(("covid", "normal"))})
        folders = [make(n, s, card=plain, merges={"viral": "normal"}) for n, s in SKILLS]
        comparison = compare(folders).comparison
        assert [test.difference.n for test in comparison.tests] == [60] * 3
        without = [make(f"{n}2", s, card=plain) for n, s in SKILLS]
        assert [test.difference.n for test in compare(without).comparison.tests] == [40] * 3

    def test_merged_labels_are_not_guessed(self, make: Make) -> None:
        known, unknown = make("a", 1.0), make("b", 2.0)
        file = EvaluationFolder(unknown).index
        content = json.loads(file.read_text())
        assert content.pop("merges")
        file.write_text(json.dumps(content))
        comparison = compare([known, unknown]).comparison
        assert not comparison.tests
        (note,) = comparison.notes
        assert note.startswith("No paired test of b and a: b has no predictions")

    def test_holm_corrects_the_tests_of_a_metric_together(self) -> None:
        """Worked out by hand: the lowest of three times 3, the next times 2, none falling."""
        values: dict[str, list[float | None]] = {
            "auc": [0.01, 0.04, 0.03, None],
            "accuracy": [0.005, 0.9],
        }
        tests = [
            PairedTest.model_validate(
                {
                    "name": "x", "against": "y", "metric": metric, "of": "z", "p": p,
                    "difference": Estimate(0.1, 0.0, 0.2, 9), "p_holm": None, "test": "DeLong",
                }
            )
            for metric, ps in values.items()
            for p in ps
        ]  # fmt: skip
        adjusted = [test.p_holm for test in corrected(tests)]
        assert adjusted == [
            pytest.approx(0.03), pytest.approx(0.06), pytest.approx(0.06), None,
            pytest.approx(0.01), pytest.approx(0.9),
        ]  # fmt: skip


def _with_labels(card: Card, order: tuple[str, ...], positive: tuple[str, ...]) -> Card:
    decision = card.decision.model_copy(update={"positive": positive})
    return card.model_copy(update={"labels": LabelScheme(order), "decision": decision})


class TestComparedModels:
    """What a folder says of itself."""

    def test_an_evaluation(self, make: Make, card: Card) -> None:
        (entry,) = read_entries([make("a", 1.0)])
        model = entry.model
        assert (model.name, model.kind, model.recipe) == ("a", "evaluation", "demo")
        assert (model.parameters, model.epochs) == (card.network.parameters, 2)
        assert (model.n, model.support) == (60, {"covid": 20, "normal": 40})
        assert {"accuracy", "sensitivity", "specificity"} <= set(model.metrics)
        assert set(entry.roc or {}) == {"covid", "normal"}
        assert entry.histories == (card.training.history,)

    def test_a_run_with_and_without_its_evaluation(
        self, cross_validation: list[Repeat], card: Card, tmp_path: Path
    ) -> None:
        run = cross_validation[0].run.root
        bare = Path(shutil.copytree(run, tmp_path / "bare"))
        shutil.rmtree(bare / "evaluation")
        whole, plain = read_entries([run, bare])
        assert whole.model.evaluated_on == "split test"
        assert whole.predictions is not None
        assert plain.model.kind == "run"
        best = card.training.history[card.training.best_epoch - 1]
        loss = plain.model.metrics["validation_loss"]
        assert loss.value == best.val_loss
        assert loss.n == plain.model.n == sum(card.training.counts["val"].values())
        assert compare([run, bare]).comparison.notes == (
            (
                "No paired test of bare and fold-0-seed-0: bare has no predictions of "
                "held-out images that agree with its metrics; evaluate its bundle."
            ),
        )
        assert "fold-0-seed-0 and bare: bare has" in compare([bare, run]).comparison.notes[0]

    def test_folds_are_pooled_and_tested_pair_by_pair(
        self, cross_validation: list[Repeat], tmp_path: Path
    ) -> None:
        root = self._summarised(cross_validation, tmp_path / "folds")
        other = Path(shutil.copytree(root, tmp_path / "again"))
        content = compare([root, other]).content
        first, _ = content.comparison.models
        assert (first.kind, first.runs, first.epochs) == ("repeats", 3, 2)
        assert first.evaluated_on == "3 held-out folds pooled"
        auc, accuracy, *_ = content.comparison.tests
        assert (auc.difference.value, accuracy.p) == (0.0, 1.0)
        assert auc.difference.n == first.n
        assert [len(runs) for runs in content.histories.values()] == [3, 3]

    def test_seeds_are_a_mean(self, cross_validation: list[Repeat], tmp_path: Path) -> None:
        root = self._summarised(cross_validation, tmp_path / "seeds")
        summary = summarise(cross_validation)
        seeds = summary.model_copy(update={"folds": 0, "seeds": (0, 1, 2), "pooled": ()})
        (root / "summary.json").write_text(seeds.model_dump_json())
        (entry,) = read_entries([root])
        assert entry.model.evaluated_on == "validation, mean over 3 seeds"
        assert entry.model.metrics["accuracy"] == summary.mean["accuracy"]
        assert entry.model.classes["covid"]["auc"] == summary.mean["covid.auc"]
        assert entry.predictions is None
        several = summary.model_copy(update={"seeds": (0, 1)})
        (root / "summary.json").write_text(several.model_dump_json())
        (entry,) = read_entries([root])
        assert entry.model.evaluated_on == "3 held-out folds pooled of seed 0"

    @staticmethod
    def _summarised(runs: list[Repeat], place: Path) -> Path:
        summary = summarise(runs)
        root = Path(shutil.copytree(runs[0].study.root, place))
        (root / "summary.json").write_text(summary.model_dump_json())
        return root

    def test_a_name_is_as_long_as_it_must_be(self, make: Make, tmp_path: Path) -> None:
        folders = [make("a/evaluation", 1.0), make("b/evaluation", 2.0)]
        names = [entry.model.name for entry in read_entries(folders)]
        assert names == ["a/evaluation", "b/evaluation"]
        with refuses("folder-repeated"):
            read_entries([folders[0], tmp_path / "b" / ".." / "a" / "evaluation"])
        with refuses("comparison-reference-unknown"):
            compare(folders, against=tmp_path)

    def test_what_is_nothing_to_compare(self, tmp_path: Path) -> None:
        with refuses("comparison-folder-unknown", "evaluation.json"):
            read_entries([tmp_path])
