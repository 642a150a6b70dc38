"""A gallery has the guards of an evaluation, and shows what the bundle says of each image."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from pulmo.cli.app import app
from pulmo.core.errors import InputError, RefusedError, UsageError
from pulmo.core.folders import BundleFolder, GalleryFolder
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.test_access import read_accesses
from pulmo.report.examples import KINDS
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.gallery import gallery
from pulmo.workflows.model import load
from pulmo.workflows.options.evaluation import EvaluateOptions, GalleryOptions

FEW = GalleryOptions(most=1)


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
    words = ["--data", str(tmp_path / "m.parquet"), "--split", "test", "-o", str(tmp_path / "a")]
    called = CliRunner().invoke(app, ["gallery", str(bundle), *words, "--most", "1", "--json"])
    assert called.exit_code == 0
    gallery(again, Manifest(images), split="test", output=tmp_path / "b", options=FEW)
    first, second = (GalleryFolder(tmp_path / name) for name in "ab")
    assert first.index.read_bytes() == second.index.read_bytes()
    assert first.page.read_bytes() == second.page.read_bytes()
    assert json.loads(called.stdout) == json.loads(first.index.read_bytes())


def test_the_counts_are_those_of_the_evaluation_and_each_example_is_a_prediction(
    bundle: Path, images: pd.DataFrame
) -> None:
    manifest = Manifest(images)
    made = gallery(bundle, manifest, split="test", options=FEW).gallery
    unrecorded = EvaluateOptions(record_access=False)
    confusion = np.array(
        evaluate(bundle, manifest, split="test", options=unrecorded).evaluation.confusion
    )
    model = load(bundle)
    by_class = made.questions[1:]
    assert [one.classes for one in by_class] == [(label,) for label in model.card.labels.order]
    for number, question in enumerate(by_class):
        right = confusion[number, number]
        missed, false = confusion[number].sum() - right, confusion[:, number].sum() - right
        rest = confusion.sum() - right - missed - false
        assert [question.counts[kind] for kind in KINDS] == [missed, false, right, rest]
    files = {Path(path).name: path for path in images["path"]}
    for question in made.questions:
        for each in question.examples:
            result = model.predict(files[each.file])
            assert each.probabilities == pytest.approx(result.probabilities, abs=1e-6)
            assert (each.decision, each.positive) == (result.decision, result.positive)
            summed = sum(result.probabilities[label] for label in question.classes)
            assert each.probability == pytest.approx(summed, abs=1e-6)
            assert each.explained in question.classes
            assert each.share_in_lungs == result.heatmap(each.explained).share_in_lungs


def test_what_the_model_has_seen_is_left_out_and_accesses_are_recorded(
    bundle: Path, images: pd.DataFrame
) -> None:
    manifest, accesses = Manifest(images), BundleFolder(bundle).test_access
    found = [gallery(bundle, manifest, options=FEW).gallery for _ in range(2)]
    assert found[0].data.n == len(manifest.split("test"))
    assert len(found[0].data.excluded) == len(manifest.split("train", "val"))
    assert [each.data.test_accesses for each in found] == [1, 2]
    assert len(read_accesses(accesses)) == 2
    assert "test-reused" in {warning.kind for warning in found[1].warnings}
    with pytest.raises(InputError):
        gallery(bundle, manifest.split("val"), options=FEW)
    assert gallery(bundle, manifest, split="val", options=FEW).gallery.data.excluded == ()


def test_one_class_and_another_method_are_asked_for(bundle: Path, images: pd.DataFrame) -> None:
    options = GalleryOptions(label="viral", most=1, method={"name": "lime", "samples": 20})
    made = gallery(bundle, Manifest(images), split="test", options=options).gallery
    assert [one.classes for one in made.questions] == [("viral",)]
    assert "samples 20" in made.method
    assert {each.explained for one in made.questions for each in one.examples} == {"viral"}


@pytest.mark.parametrize(
    ("options", "split", "change"),
    [
        (GalleryOptions(label="flu"), "test", None),
        (GalleryOptions(method="gradcam"), "test", None),
        (FEW, "tset", None),
        (FEW, "test", lambda frame: frame.assign(modality="CT")),
    ],
)
def test_guards_come_before_an_access_to_the_test(
    bundle: Path,
    images: pd.DataFrame,
    tmp_path: Path,
    options: GalleryOptions,
    split: str,
    change: Callable[[pd.DataFrame], pd.DataFrame] | None,
) -> None:
    manifest = Manifest(images if change is None else change(images))
    with pytest.raises((UsageError, RefusedError)):
        gallery(bundle, manifest, split=split, output=tmp_path / "g", options=options)
    assert not (tmp_path / "g").exists()
    assert not BundleFolder(bundle).test_access.exists()
