from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import confusion_matrix

from fixtures.refuses import refuses
from pulmo.bundle.card import Card
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import Evaluation, ModelName, read_evaluation
from pulmo.predictions.predictions import Failure, Predictions


def few(replicates: int) -> Resampling:
    return Resampling(np.random.default_rng(0), replicates)


MakePredictions = Callable[..., pd.DataFrame]

PROVENANCE = Provenance(
    model=ModelName(name="three-way", version="1", sha256="1" * 64),
    manifest_sha256="2" * 64,
    split="test",
    failed=(Failure(path="/images/broken.png", reason="It is empty."),),
    test_accesses=1,
)


@pytest.fixture
def table(make_predictions: MakePredictions) -> pd.DataFrame:
    counts = {"covid@city": 40, "viral@city": 25, "pneumonia@clinic": 20, "normal@clinic": 50}
    return make_predictions({**counts, "other@city": 3})


@pytest.fixture
def result(table: pd.DataFrame, card: Card) -> Evaluation:
    return evaluate(Predictions(table, card.decision_rule()), PROVENANCE, few(200))


def test_the_data_are_described(result: Evaluation) -> None:
    assert result.model == PROVENANCE.model
    assert result.data.model_dump() == {
        "manifest_sha256": "2" * 64,
        "split": "test",
        "n": 135,
        "groups": 135,
        "labels": {"covid": 40, "pneumonia": 45, "normal": 50},
        "sources": {
            "city": {"covid": 40, "pneumonia": 25, "normal": 0},
            "clinic": {"covid": 0, "pneumonia": 20, "normal": 50},
        },
        "effective_sources": {},
        "skipped": {"other": 3},
        "failed": ({"path": "/images/broken.png", "reason": "It is empty."},),
        "test_accesses": 1,
        "excluded": (),
        "image_notes": None,
        "views": (),
        "modalities": (),
    }


def test_the_confusion_is_the_references(
    result: Evaluation, table: pd.DataFrame, card: Card
) -> None:
    used = table[table["label"] != "other"]
    truth = used["label"].replace({"viral": "pneumonia"})
    expected = confusion_matrix(truth, used["decision"], labels=card.labels.order)
    assert result.confusion == tuple(map(tuple, expected.tolist()))
    assert result.overall["accuracy"].value == pytest.approx(np.trace(expected) / 135)


def test_the_decision_is_evaluated_by_positive(result: Evaluation, table: pd.DataFrame) -> None:
    used = table[table["label"] != "other"]
    diseased = used["label"] != "normal"
    assert result.decision.positive == ("covid", "pneumonia")
    assert result.decision.threshold == 0.5
    assert result.decision.sensitivity.value == pytest.approx(used["positive"][diseased].mean())
    assert result.decision.sensitivity.n == 85
    expected = 1 - used["positive"][~diseased].mean()
    assert result.decision.specificity.value == pytest.approx(expected)
    assert result.decision.specificity.n == 50


def test_the_parts_are_there(result: Evaluation) -> None:
    assert len(result.reliability) == 10
    assert [*result.classes] == [*result.roc] == ["covid", "pneumonia", "normal"]
    assert [(each.source, each.positive, each.negative) for each in result.contrasts] == [
        ("city", ("covid",), ("pneumonia",)),
        ("clinic", ("pneumonia",), ("normal",)),
    ]
    assert [each.kind for each in result.warnings] == [
        "no-shared-source", "few-from-shared-source", "unknown-patients", "unknown-labels",
        "unreadable",
    ]  # fmt: skip


def test_it_survives_the_way_through_a_file(result: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "evaluation.json"
    path.write_text(result.model_dump_json())
    assert read_evaluation(path) == result


def test_the_same_seed_gives_the_same_evaluation(
    result: Evaluation, table: pd.DataFrame, card: Card
) -> None:
    again = evaluate(Predictions(table, card.decision_rule()), PROVENANCE, few(200))
    assert again == result


def test_one_class_alone_is_evaluated(make_predictions: MakePredictions, card: Card) -> None:
    table = make_predictions({"normal@city": 5})
    origin = Provenance(PROVENANCE.model, "2" * 64)
    result = evaluate(Predictions(table, card.decision_rule()), origin, few(100))
    assert result.data.split is None
    assert str(result.decision.sensitivity) == "undefined (no image is covid or pneumonia)"
    expected = "undefined (it needs images of two or more classes)"
    assert str(result.overall["macro_auc"]) == expected
    assert result.contrasts == ()
    assert result.roc == {}


def test_too_few_resamples_are_refused(table: pd.DataFrame, card: Card) -> None:
    with refuses("resamples-too-few", "100", "99"):
        evaluate(Predictions(table, card.decision_rule()), PROVENANCE, few(99))


@pytest.mark.parametrize("prevalence", [0.0, 1.0, 3.0])
def test_a_prevalence_that_is_no_share_is_refused(
    table: pd.DataFrame, card: Card, prevalence: float
) -> None:
    with refuses("prevalence-invalid", f"{prevalence:g}"):
        evaluate(
            Predictions(table, card.decision_rule()), PROVENANCE, few(100), prevalence=prevalence
        )


def test_a_source_whose_origins_share_no_class_is_as_many(table: pd.DataFrame, card: Card) -> None:
    made_of = {"covid": "there", "viral": "there", "pneumonia": "here", "normal": "here"}
    both = table.assign(source="set", origin=table["label"].map(made_of))
    found = evaluate(Predictions(both, card.decision_rule()), PROVENANCE, few(200))
    assert {each.source for each in found.contrasts} == {"set"}  # pneumonia is from either
    apart = both[both["label"] != "viral"]
    found = evaluate(Predictions(apart, card.decision_rule()), PROVENANCE, few(200))
    assert found.data.effective_sources == {
        "set (from here)": {"covid": 0, "pneumonia": 20, "normal": 50},
        "set (from there)": {"covid": 40, "pneumonia": 0, "normal": 0},
    }
    assert {each.source for each in found.contrasts} == {"set (from here)"}
    assert any(
        each.kind == "no-shared-source" and "set (from there)" in each.text
        for each in found.warnings
    )


def test_a_folder_of_classes_is_no_source_in_which_they_are_compared(
    table: pd.DataFrame, card: Card
) -> None:
    mine = table.assign(source="mine", origin=None, root="/images/mine")
    found = evaluate(Predictions(mine, card.decision_rule()), PROVENANCE, few(100))
    assert found.contrasts == ()
    assert set(found.data.sources) == {"mine (hospital not stated)"}
    assert any(each.kind == "unstated-source" for each in found.warnings)
    assert not any(each.fact == "source" for each in found.subgroups)
    stated = evaluate(
        Predictions(mine.assign(origin="north"), card.decision_rule()), PROVENANCE, few(100)
    )
    assert {each.source for each in stated.contrasts} == {"north"}
    assert not any(each.kind == "unstated-source" for each in stated.warnings)
