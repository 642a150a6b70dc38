"""A table of several findings becomes an evaluation, with its warnings."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from fixtures.refuses import refuses
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import ModelName, read_evaluation
from pulmo.evaluate.multilabel.evaluate import evaluate_labels
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation, read_labels_evaluation
from pulmo.evaluate.multilabel.table import labels_table

MakeTable = Callable[..., pd.DataFrame]

PROVENANCE = Provenance(ModelName(name="theirs", version="1", sha256="0" * 64), "1" * 64)


def _evaluate(table: pd.DataFrame, threshold: float | None = None) -> LabelsEvaluation:
    resampling = Resampling(np.random.default_rng(0), 100)
    return evaluate_labels(labels_table(table, threshold), PROVENANCE, resampling)


def test_each_finding_is_evaluated_on_the_images_labelled_for_it(make_table: MakeTable) -> None:
    table = make_table(120, missing=0.3, per_patient=2)
    found = _evaluate(table, 0.3)
    assert [*found.labels] == ["Edema", "Lung Opacity", "Fracture"]
    assert (found.n, found.groups) == (120, 60)
    truths = table[[f"y_{label}" for label in found.labels]]
    assert found.whole == truths.notna().all(axis=1).sum()
    for label, one in found.labels.items():
        known = table.dropna(subset=f"y_{label}")
        truth, scores = known[f"y_{label}"], known[f"p_{label}"]
        called = scores >= 0.3
        assert one.model.name == f"theirs: {label}"
        assert one.data.labels == {label: truth.sum(), f"no {label}": (truth == 0).sum()}
        assert one.decision.threshold == 0.3
        assert one.decision.sensitivity.value == pytest.approx(metrics.recall_score(truth, called))
        # The class decided on follows from the threshold, so these agree.
        assert one.classes[label]["recall"].value == one.decision.sensitivity.value
        assert one.classes[label]["f1"].value == pytest.approx(metrics.f1_score(truth, called))
        area = metrics.roc_auc_score(truth, scores)
        assert one.classes[label]["auc"].value == pytest.approx(area)
        assert one.patients is not None
        assert one.patients.classes[label]["recall"] == one.patients.decision.sensitivity
        assert {row.fact for row in one.subgroups} == {"sex"}
        assert one.sweep
    there = (truths == 1).to_numpy().astype(int)
    assert (np.array(found.together) == there.T @ there).all()


def test_one_findings_evaluation_is_that_of_two_classes(make_table: MakeTable) -> None:
    table = labels_table(make_table(80))
    found = evaluate_labels(table, PROVENANCE, Resampling(np.random.default_rng(0), 100))
    generator = np.random.default_rng(0).spawn(4)[3]
    model = PROVENANCE.model.model_copy(update={"name": "theirs: Fracture"})
    alone = evaluate(
        table.of_label(2), PROVENANCE._replace(model=model), Resampling(generator, 100)
    )
    assert found.labels["Fracture"] == alone


def test_progress_is_reported(make_table: MakeTable) -> None:
    reported: list[tuple[int, int]] = []
    evaluate_labels(
        labels_table(make_table(30)),
        PROVENANCE,
        Resampling(np.random.default_rng(0), 100),
        lambda done, total: reported.append((done, total)),
    )
    assert reported == [(1, 3), (2, 3), (3, 3)]


def test_what_cannot_be_evaluated_stops_nothing(make_table: MakeTable) -> None:
    table = make_table(60, missing=0.2).assign(p_Mass=0.5, y_Mass=np.nan)
    table = table.assign(p_Nodule=0.5, y_Nodule=np.nan, p_Hernia=0.1, y_Hernia=0)
    table = table.assign(p_Device=0.9, y_Device=1, p_Tube=0.9, y_Tube=1)
    found = _evaluate(table.drop(columns="patient"))
    assert found.unlabelled == ("Mass", "Nodule")
    assert [*found.labels][3:] == ["Hernia", "Device", "Tube"]
    assert found.labels["Hernia"].decision.auc is not None
    assert found.labels["Hernia"].decision.auc.value is None
    assert found.overall["macro_auc"].value is not None
    unlabelled, absent, always, partly, source, *shared = found.warnings
    assert unlabelled.kind == "unlabelled"
    assert "Mass and Nodule" in unlabelled.text
    assert (absent.kind, always.kind) == ("one-sided", "one-sided")
    assert "Hernia" in absent.text
    assert "Device or Tube" in always.text
    assert partly.kind == "partly-labelled"
    assert partly.text.startswith(f"{found.whole} of 60 images")
    fewest = min(found.labels, key=lambda label: found.labels[label].data.n)
    assert f"{found.labels[fewest].data.n} for {fewest}." in partly.text
    assert source.kind == "unstated-source"
    assert set(shared) <= set(found.labels["Edema"].warnings)
    assert "unknown-patients" in {each.kind for each in shared}
    assert "no-label" not in {each.kind for each in shared}


def test_images_without_any_label_take_no_part(make_table: MakeTable) -> None:
    table = make_table(50)
    truths = [f"y_{label}" for label in ("Edema", "Lung Opacity", "Fracture")]
    table.loc[40:, truths] = np.nan
    found = _evaluate(table)
    assert (found.n, found.whole) == (40, 40)
    assert found.overall == _evaluate(table.iloc[:40]).overall
    assert any(each.kind == "no-label" and "10 images" in each.text for each in found.warnings)
    one = _evaluate(table.assign(p_Mass=0.5, y_Mass=np.nan))
    assert one.warnings[0].kind == "unlabelled"
    assert "Mass" in one.warnings[0].text


def test_decisions_of_the_table_are_evaluated(make_table: MakeTable) -> None:
    table = make_table(60)
    found = _evaluate(table.assign(d_Edema=table["y_Edema"].astype(int)))
    assert found.labels["Edema"].decision.threshold is None
    assert found.labels["Edema"].classes["Edema"]["f1"].value == 1
    assert found.labels["Fracture"].decision.threshold == 0.5


def test_it_is_read_back_and_is_no_evaluation_of_classes(
    make_table: MakeTable, tmp_path: Path
) -> None:
    found = _evaluate(make_table(30))
    path = tmp_path / "evaluation.json"
    path.write_text(found.model_dump_json())
    assert read_labels_evaluation(path) == found
    with refuses("record-invalid", "format", "several findings per image"):
        read_evaluation(path)
    path.write_text(found.labels["Edema"].model_dump_json())
    with refuses("record-invalid", "an evaluation of several findings per image", "format"):
        read_labels_evaluation(path)
