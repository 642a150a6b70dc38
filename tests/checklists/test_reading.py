"""Reading the artefacts of a real bundle, and refusing those of another."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.audit.check_result import Audit
from pulmo.checklists.reading import Places, read_artefacts
from pulmo.core.files import sha256
from pulmo.core.folders import RunFolder
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluation import Evaluation
from pulmo.evaluate.test_access import Access


def _evaluation(evaluation: Evaluation, folder: Path, model: str) -> Path:
    name = evaluation.model.model_copy(update={"sha256": model})
    folder.mkdir()
    content = evaluation.model_copy(update={"model": name}).model_dump_json()
    (folder / "evaluation.json").write_text(content)
    return folder


def _audit(audit: Audit, folder: Path, model: str) -> Path:
    name = audit.model.model_copy(update={"sha256": model})
    folder.mkdir()
    content = audit.model_copy(update={"model": name}).model_dump_json()
    (folder / "audit.json").write_text(content)
    return folder


@pytest.fixture
def model(bundle: Path) -> str:
    return sha256((bundle / "model.onnx").read_bytes())


def test_everything_is_read_and_fits_together(
    bundle: Path,
    run: RunFolder,
    images: pd.DataFrame,
    evaluation: Evaluation,
    audit: Audit,
    access: Access,
    model: str,
    tmp_path: Path,
) -> None:
    (bundle / "test-access.jsonl").write_text(access.model_dump_json() + "\n")
    try:
        found = read_artefacts(
            Places(
                bundle,
                run.manifest,
                run.root,
                [_evaluation(evaluation, tmp_path / "one", model)],
                _audit(audit, tmp_path / "audit", model),
            )
        )
    finally:
        (bundle / "test-access.jsonl").unlink()
    assert found.model_sha256 == model
    assert found.test_accesses == (access,)
    assert not found.has_other_images
    assert found.images.name == "manifest.parquet"
    assert found.images.test_sha256 == Manifest(images[images["split"] == "test"]).sha256
    assert [each.data.n for each in found.evaluations] == [9001]
    assert found.run.recipe.sha256 == found.card.training.recipe_sha256
    assert found.run.sessions[0].packages["pulmo"] == found.card.pulmo
    assert len(found.audit.checks) == 2


def test_the_bundle_alone_is_enough(bundle: Path, model: str) -> None:
    found = read_artefacts(Places(bundle))
    assert (found.model_sha256, found.evaluations, found.test_accesses) == (model, (), ())
    assert (found.given_images, found.given_run, found.given_audit) == (None, None, None)


def test_what_is_of_another_model_is_refused(
    bundle: Path, run: RunFolder, evaluation: Evaluation, audit: Audit, tmp_path: Path
) -> None:
    other = "0" * 64
    folder = _evaluation(evaluation, tmp_path / "one", other)
    with refuses("result-of-other-model", "evaluation.json", "three-way"):
        read_artefacts(Places(bundle, evaluations=[folder]))
    with refuses("result-of-other-model", "audit.json", "three-way"):
        read_artefacts(Places(bundle, audit=_audit(audit, tmp_path / "audit", other)))
    copy = tmp_path / "run"
    shutil.copytree(run.root, copy)
    card = json.loads((copy / "card.json").read_text())
    card["network"]["sha256"] = other
    (copy / "card.json").write_text(json.dumps(card))
    with refuses("bundle-not-of-run", "The bundle"):
        read_artefacts(Places(bundle, run=copy))


def test_damage_is_named(bundle: Path, run: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "run"
    shutil.copytree(run.root, copy)
    (copy / "env.json").write_text('[{"python": 3}]')
    with refuses("environment-invalid", "env.json"):
        read_artefacts(Places(bundle, run=copy))
    broken = tmp_path / "bundle"
    shutil.copytree(bundle, broken)
    (broken / "model.onnx").write_bytes(b"another")
    with refuses("network-not-of-card", "model.onnx", "card.json"):
        read_artefacts(Places(broken))
