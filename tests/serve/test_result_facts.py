"""The facts of each kind of result, from an index as pulmo writes it."""

import pandas as pd
import pytest

from pulmo.audit.check_result import Audit, AuditedData
from pulmo.core.record import Record
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.experiments.summary import RunMetrics, Summary
from pulmo.report.comparison import ComparedModel, Comparison
from pulmo.serve.result_facts import facts_of
from pulmo.stats.estimate import Estimate

SHARE = Estimate(0.625, 0.5, 0.75, 24)
NAME = ModelName(name="mine", version="1", sha256="ab" * 32)
AUDIT = Audit(
    model=NAME,
    data=AuditedData(
        manifest_sha256="cd" * 32, split="test", n=9, groups=9, labels={}, sources={}, fitted=9
    ),
    checks=(),
    result="failed",
    summary="Audit result: failed.",
    shown=(),
    not_shown=(),
)
LABELS = LabelsEvaluation(
    model=NAME,
    manifest_sha256="cd" * 32,
    n=24,
    groups=20,
    whole=24,
    overall={"macro_auc": SHARE},
    labels={},
    together=(),
    warnings=(),
)
COMPARISON = Comparison(
    models=tuple(
        ComparedModel(
            name=name,
            kind="run",
            labels=("covid", "normal"),
            positive=("covid",),
            evaluated_on="validation",
            n=24,
            metrics={},
            classes={},
        )
        for name in ("first", "second")
    ),
    against="first",
    tests=(),
    notes=(),
)
SUMMARY = Summary(
    recipe="demo",
    manifest_sha256="cd" * 32,
    folds=0,
    seeds=(0,),
    evaluated_on="validation",
    runs=(
        RunMetrics(
            name="seed-0",
            fold=None,
            seed=0,
            epochs=2,
            best_epoch=1,
            minutes=1.0,
            n=24,
            weights_sha256="ef" * 32,
            metrics={},
        ),
    ),
    mean={"balanced_accuracy": SHARE},
    pooled=(),
    notes=(),
)


def _index(record: Record) -> bytes:
    return record.model_dump_json().encode()


@pytest.mark.parametrize(
    ("kind", "record", "facts"),
    [
        ("audit", AUDIT, [("Model", "mine"), ("Result", "Audit result: failed.")]),
        ("comparison", COMPARISON, [("Models", "first, second")]),
        ("evaluation", LABELS, [("Model", "mine"), ("Images", "24")]),
        (
            "repeats",
            SUMMARY,
            [("Recipe", "demo"), ("Runs", "1"), ("Balanced accuracy", "0.625 (0.500-0.750)")],
        ),
    ],
)
def test_a_result_says_what_its_page_says_first(
    kind: str, record: Record, facts: list[tuple[str, str]]
) -> None:
    assert facts_of(kind, _index(record)) == facts


def test_an_evaluation_names_the_positive_classes(evaluation: Evaluation) -> None:
    found = dict(facts_of("evaluation", _index(evaluation)))
    assert found["Model"] == "three-way"
    assert found["Sensitivity for covid, viral"] == str(evaluation.decision.sensitivity)
    none = evaluation.decision.model_copy(update={"positive": ()})
    plain = evaluation.model_copy(update={"decision": none, "overall": {}})
    assert list(dict(facts_of("evaluation", _index(plain)))) == ["Model", "Images"]


def test_an_inspection_says_its_verdict(images: pd.DataFrame) -> None:
    inspection = inspect_manifest(Manifest(images), "images.parquet", 0)
    assert facts_of("inspection", _index(inspection)) == [
        ("Manifest", "images.parquet"),
        ("Result", inspection.verdict),
    ]


def test_an_index_of_another_version_is_a_problem() -> None:
    problem = [("Problem", "It cannot be read, or another version of pulmo made it.")]
    assert facts_of("audit", b"{") == problem
    assert facts_of("audit", _index(COMPARISON)) == problem
    assert facts_of("gallery", b"") == []
