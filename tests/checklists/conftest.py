"""Artefacts with made-up content: all there are, of one model."""

from dataclasses import replace

import pandas as pd
import pytest

from pulmo.audit.check_result import Audit, AuditedData, CheckResult
from pulmo.bundle.card import Card
from pulmo.checklists.artefacts import Artefacts, Images, Session, Trained
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.inspect.inspect import inspect_manifest
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.evaluate.test_access import Access
from pulmo.stats.estimate import Estimate

MODEL = "d" * 64


def images_of(table: pd.DataFrame) -> Images:
    """Takes a table for a manifest called images.parquet."""
    checked = Manifest(table)
    return Images(
        name="images.parquet",
        manifest=checked,
        inspection=inspect_manifest(checked, "images.parquet", 0),
        test_sha256=checked.split("test").sha256,
    )


@pytest.fixture(scope="session")
def table() -> pd.DataFrame:
    """Twelve images of two sources, one of which pulmo does not know."""
    n = range(12)
    return pd.DataFrame(
        {
            "path": [f"/home/jane/images/{i}.png" for i in n],
            "sha256": [f"{i:064x}" for i in n],
            "label": ["covid", "viral", "normal"] * 4,
            "finding": [f"a finding, number {i}" for i in n],
            "patient": [f"p{i // 2}" if i < 10 else None for i in n],
            "group": [f"p{i // 2}" for i in n],
            "source": ["kermany" if i % 2 else "ours | yours" for i in n],
            "origin": [f"hospital {i}" if i < 8 else None for i in n],
            "licence": ["CC0"] * 12,
            "view": ["PA", "AP"] * 6,
            "modality": ["X-ray"] * 12,
            "age": [40.0 + i if i < 6 else None for i in n],
            "sex": ["F", "M", None] * 4,
            "width": [100 + i for i in n],
            "height": [90] * 12,
            "format": ["PNG"] * 12,
            "bits": [8] * 12,
            "split": ["train"] * 6 + ["val"] * 2 + ["test"] * 2 + [None] * 2,
            "fold": [0, 0, 1, 1, 2, 2] + [None] * 6,
        }
    )


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    settings = ["train.class_weights={covid=2.0}", "train.loss=focal", "train.patience=3"]
    return load_recipe("demo", [*settings, "augment.rotate=10.0", "data.views=['PA', 'AP']"])


@pytest.fixture(scope="session")
def audit() -> Audit:
    def result(check: str, verdict: str) -> CheckResult:
        return CheckResult.model_validate(
            {
                "check": check,
                "question": "Is it so?",
                "verdict": verdict,
                "messages": [{"kind": "seen", "text": f"Seen in /home/jane/images/{check}.png."}],
                "statement": "It is so.",
                "metrics": {"share": Estimate(0.5, 0.4, 0.6, 9)},
            }
        )

    return Audit(
        model=ModelName(name="three-way", version="1", sha256=MODEL),
        data=AuditedData(
            manifest_sha256="e" * 64,
            split="test",
            n=2,
            groups=1,
            labels={"covid": 2},
            sources={"kermany": {"covid": 2}},
            fitted=8,
        ),
        checks=(result("shortcuts", "fails"), result("turns", "passes")),
        result="failed",
        summary="Audit result: failed.",
        shown=("The model is so.",),
        not_shown=("FAILED (shortcuts): See /home/jane/images/a.png.",),
    )


@pytest.fixture(scope="session")
def full(
    card: Card, evaluation: Evaluation, audit: Audit, recipe: Recipe, table: pd.DataFrame
) -> Artefacts:
    """Everything; the evaluation is of the test of the manifest that trained the model."""
    images = images_of(table)
    training = card.training.model_copy(
        update={
            "manifest_sha256": images.inspection.manifest_sha256,
            "sources": {"covid": {"ours": 2}, "viral": {"east": 3}, "normal": {}},
            "modalities": ("X-ray",),
        }
    )
    data = evaluation.data.model_copy(
        update={"manifest_sha256": images.test_sha256, "test_accesses": 2}
    )
    session = Session(
        python="3.11.7",
        packages={"pulmo": "0.1.0", "torch": "2.15.0"},
        system="Linux",
        device="cpu",
        threads=1,
        precision="fp32",
    )
    return Artefacts(
        card=card.model_copy(update={"training": training}),
        model_sha256=MODEL,
        test_accesses=(),
        given_images=images,
        given_run=Trained(recipe, (session, session)),
        evaluations=(evaluation.model_copy(update={"data": data}),),
        given_audit=audit,
    )


@pytest.fixture(scope="session")
def bare(full: Artefacts) -> Artefacts:
    """The card alone."""
    return replace(full, given_images=None, given_run=None, evaluations=(), given_audit=None)


@pytest.fixture
def access() -> Access:
    return Access(
        time="2026-01-02T03:04:05+00:00",
        test_sha256="1" * 64,
        manifest_sha256="2" * 64,
        split="test",
        images=2,
        model_sha256=MODEL,
        weights_sha256="a" * 64,
        pulmo="0.1.0",
    )
