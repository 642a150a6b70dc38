"""A folder whose writing was cut off must not look complete: its index comes last."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import (
    AuditFolder,
    ComparisonFolder,
    EvaluationFolder,
    FeaturesFolder,
    InspectionFolder,
    ManifestFiles,
    RunFolder,
)
from pulmo.datasets.manifest import Manifest

Call = Callable[..., tuple[int, str, str]]


class _CutOffError(Exception):
    """Stands for whatever ends a process."""


def _cut_off(*_: object) -> None:
    raise _CutOffError


@pytest.fixture
def predictions(images: pd.DataFrame, bundle: Path, tmp_path: Path) -> Path:
    test = Manifest(images).split("test")
    path = tmp_path / "p.parquet"
    predict_manifest(Predictor.open(bundle), test).save(path)
    return path


@pytest.fixture
def manifest(images: pd.DataFrame, tmp_path: Path) -> Path:
    path = tmp_path / "m.parquet"
    Manifest(images).save(path)
    return path


def _check(
    pulmo: Call, words: list[object], writer: str, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cuts a command off at a writer, and then lets it come to its end."""
    with monkeypatch.context() as patch:
        patch.setattr(writer, _cut_off)
        assert pulmo(*words)[0] == 1
    assert not index.exists()
    assert pulmo(*words)[0] in {0, 5}
    assert index.exists()


def test_an_evaluation(
    pulmo: Call, bundle: Path, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["evaluate", bundle, "--data", manifest, "--split", "test", "-o", tmp_path / "e"]
    index = EvaluationFolder(tmp_path / "e").index
    _check(pulmo, words, "pulmo.workflows.evaluation_report.write_report", index, monkeypatch)


def test_an_evaluation_of_a_table(
    pulmo: Call, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["evaluate", predictions, "-o", tmp_path / "e"]
    index = EvaluationFolder(tmp_path / "e").index
    _check(pulmo, words, "pulmo.workflows.evaluation_report.write_report", index, monkeypatch)


@pytest.mark.parametrize("writer", ["write_report", "write_labels_report"])
def test_an_evaluation_of_several_findings(
    pulmo: Call, tmp_path: Path, writer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame(
        {"path": [f"{n}.png" for n in range(40)], "y_a": [0, 1] * 20, "y_b": [0, 0, 1, 1] * 10}
    )
    table["p_a"] = table["y_a"] * 0.5 + 0.2
    table["p_b"] = table["y_b"] * 0.5 + 0.2
    table.to_csv(tmp_path / "t.csv", index=False)
    words = ["evaluate", tmp_path / "t.csv", "-o", tmp_path / "e"]
    index = EvaluationFolder(tmp_path / "e").index
    _check(pulmo, words, f"pulmo.workflows.findings_report.{writer}", index, monkeypatch)


def test_an_audit(
    pulmo: Call, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["audit", predictions, "--positive", "covid", "--only", "calibration"]
    words += ["-o", tmp_path / "a"]
    index = AuditFolder(tmp_path / "a").index
    _check(pulmo, words, "pulmo.workflows.audit_report.write_audit", index, monkeypatch)


def test_a_comparison(
    pulmo: Call, predictions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        assert pulmo("evaluate", predictions, "-o", tmp_path / name)[0] == 0
    words = ["compare", tmp_path / "one", tmp_path / "two", "-o", tmp_path / "c"]
    index = ComparisonFolder(tmp_path / "c").index
    _check(pulmo, words, "pulmo.workflows.compare.write_comparison", index, monkeypatch)


def test_an_inspection(
    pulmo: Call, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["data", "inspect", manifest, "--samples", "0", "-o", tmp_path / "i"]
    index = InspectionFolder(tmp_path / "i").index
    _check(pulmo, words, "pulmo.workflows.inspect.write_inspection", index, monkeypatch)


@pytest.mark.parametrize(
    "writer", ["workflows.curate.write_atomically", "workflows.manifest_output.write_problems"]
)
def test_a_curated_manifest(
    pulmo: Call,
    images: pd.DataFrame,
    manifest: Path,
    tmp_path: Path,
    writer: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Manifest(images[:16]).save(manifest)
    output = ManifestFiles(tmp_path / "curated.parquet")
    words = ["data", "curate", manifest, "-o", output.manifest]
    _check(pulmo, words, f"pulmo.{writer}", output.manifest, monkeypatch)


def test_feature_maps(
    pulmo: Call, run: RunFolder, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["features", run.root, image, "--depths", "1", "--steps", "0", "-o", tmp_path / "f"]
    index = FeaturesFolder(tmp_path / "f").index
    _check(pulmo, words, "pulmo.workflows.features_report.write_features_page", index, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr("pulmo.workflows.features_report.write_features_page", _cut_off)
        assert pulmo(*words)[0] == 1
    assert not index.exists()  # what is half of another call is not complete
