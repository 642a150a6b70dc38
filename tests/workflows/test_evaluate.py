"""An evaluation is the same, with the same guards, however it is called."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from typer.testing import CliRunner

from pulmo.cli.app import app
from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.folders import BundleFolder, EvaluationFolder
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.test_access import read_accesses
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.evaluate_predictions import evaluate_predictions
from pulmo.workflows.options.evaluation import EvaluateOptions, TableOptions
from pulmo.workflows.repeated_runs import Repeat

# One worker trains the folds for all of them.
pytestmark = pytest.mark.xdist_group("folds")


@pytest.fixture
def bundle(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the bundle, for each access to a test is recorded in it."""
    clean = shutil.ignore_patterns("test-access.jsonl")
    return Path(shutil.copytree(bundle, tmp_path / "bundle", ignore=clean))


def test_the_command_and_python_write_the_same(
    bundle: Path, images: pd.DataFrame, tmp_path: Path
) -> None:
    Manifest(images).save(tmp_path / "m.parquet")
    again = shutil.copytree(bundle, tmp_path / "again")
    third = shutil.copytree(bundle, tmp_path / "third")
    words = ["--data", str(tmp_path / "m.parquet"), "--split", "test", "-o", str(tmp_path / "a")]
    assert CliRunner().invoke(app, ["evaluate", str(bundle), *words]).exit_code == 0
    evaluate(again, Manifest(images), split="test", output=tmp_path / "b")
    evaluate(third, Manifest(images).split("test"), output=tmp_path / "c")
    first, *others = (EvaluationFolder(tmp_path / name) for name in "abc")
    for other in others:
        assert other.index.read_bytes() == first.index.read_bytes()
        assert other.page.read_bytes() == first.page.read_bytes()
        assert read_parquet(other.predictions).equals(read_parquet(first.predictions))


def test_what_the_model_has_seen_is_left_out_unless_it_is_asked_for(
    bundle: Path, images: pd.DataFrame
) -> None:
    manifest = Manifest(images)
    whole = evaluate(bundle, manifest)
    assert whole.evaluation.data.n == len(manifest.split("test"))
    assert len(whole.evaluation.data.excluded) == len(manifest.split("train", "val"))
    assert whole.evaluation.data.split is None
    validation = evaluate(bundle, manifest, split="val")
    assert (validation.evaluation.data.excluded, validation.evaluation.data.split) == ((), "val")
    with pytest.raises(InputError):
        evaluate(bundle, manifest.split("val"))


def test_an_access_to_a_test_is_recorded_unless_it_is_none(
    bundle: Path, images: pd.DataFrame
) -> None:
    manifest, accesses = Manifest(images), BundleFolder(bundle).test_access
    held_out = evaluate(
        bundle, manifest, split="test", options=EvaluateOptions(record_access=False)
    )
    assert held_out.evaluation.data.test_accesses is None
    assert not accesses.exists()
    counts = [evaluate(bundle, manifest, split="test").evaluation.data for _ in range(2)]
    assert [data.test_accesses for data in counts] == [1, 2]
    assert len(read_accesses(accesses)) == 2


def test_guards_come_before_an_access_to_the_test(
    bundle: Path, images: pd.DataFrame, cross_validation: list[Repeat], tmp_path: Path
) -> None:
    manifest, ct = Manifest(images), Manifest(images.assign(modality="CT"))
    output = tmp_path / "e"
    with pytest.raises(RefusedError):
        evaluate(bundle, ct, split="test", output=output)
    other = EvaluateOptions(run=cross_validation[0].run.root)
    with pytest.raises(UsageError):
        evaluate(bundle, manifest, split="test", options=other, output=output)
    with pytest.raises(UsageError):
        evaluate(bundle, manifest, split="tset", output=output)
    merged = EvaluateOptions(merge={"covid": "normal"})
    with pytest.raises(UsageError):
        evaluate(bundle, manifest, split="test", options=merged, output=output)
    assert not output.exists()
    assert not BundleFolder(bundle).test_access.exists()


def test_labels_that_the_model_has_not_are_evaluated_as_abnormal(
    bundle: Path, images: pd.DataFrame
) -> None:
    """As `docs/how-to/evaluate-predictions.md` says, in two steps."""
    test = images[images["split"] == "test"]
    kinds = {"bacterial": "pneumonia", "viral": "pneumonia"}
    other = Manifest(test.assign(label=test["label"].replace(kinds)))
    first = evaluate(bundle, other, options=EvaluateOptions(merge={"pneumonia": "bacterial"}))
    assert len(first.predictions) == len(test)
    abnormal = dict.fromkeys(("covid", "bacterial", "viral", "pneumonia"), "abnormal")
    options = TableOptions(merge=abnormal)
    second = evaluate_predictions(first.predictions.frame, positive=["abnormal"], options=options)
    scores = first.predictions.frame
    expected = roc_auc_score(scores["label"] != "normal", 1 - scores["p_normal"])
    assert second.evaluation.overall["macro_auc"].value == pytest.approx(expected)
    assert second.evaluation.decision.sensitivity.n == (test["label"] != "normal").sum()
