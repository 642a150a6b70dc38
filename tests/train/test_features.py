"""Stages that train on what a frozen base gives, computed once."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from fixtures.refuses import refuses
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train import features as module
from pulmo.train import run as training_run
from pulmo.train.callbacks import Callbacks
from pulmo.train.engine import Features
from pulmo.train.run import Place, train_run

QUICK = ["image.size=32", "train.batch=8", "train.lr=0.01", "train.precision=fp32",
         "train.trains=head", "train.epochs=4"]  # fmt: skip
STILL = "augment={}"


def recipe(*settings: str) -> Recipe:
    return load_recipe("demo", [*QUICK, *settings])


def place(tmp_path: Path, name: str) -> Place:
    return Place(RunFolder(tmp_path / name), tmp_path / "cache", "cpu")


def test_without_augmentation_features_give_the_run_that_the_base_gives(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    slow = train_run(recipe(STILL), Manifest(images), place(tmp_path, "slow"), Callbacks())
    fast = train_run(
        recipe(STILL, "train.views=1"), Manifest(images), place(tmp_path, "fast"), Callbacks()
    )
    for one, other in zip(slow.training.history, fast.training.history, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-4)
        assert one.val_loss == pytest.approx(other.val_loss, rel=1e-4)
    weights = [load_file(tmp_path / name / "model.safetensors") for name in ("slow", "fast")]
    for name in weights[0]:
        torch.testing.assert_close(weights[0][name], weights[1][name], atol=1e-5, rtol=1e-4)


def test_each_view_is_augmented_anew_and_the_base_runs_once(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[Features] = []
    made = module.base_features

    def watched(*arguments: object) -> Features:
        kept.append(made(*arguments))  # type: ignore[arg-type] # handed on as they came
        return kept[-1]

    monkeypatch.setattr(training_run, "base_features", watched)
    seen: list[tuple[int, int]] = []
    watch = Callbacks(on_features=lambda *done: seen.append(done))
    train_run(recipe("train.views=3"), Manifest(images), place(tmp_path, "run"), watch)
    (features,) = kept
    train, val = ((images["split"] == side).sum() for side in ("train", "val"))
    assert features.train.shape == (3, train, 128)
    assert features.val.shape == (val, 128)
    assert not np.allclose(features.train[0], features.train[1])
    assert seen[-1] == (3 * train + val, 3 * train + val)
    assert not list((tmp_path / "run" / "checkpoints").glob("features*"))


@pytest.mark.parametrize("lose", [False, True])
def test_a_run_stopped_on_features_ends_the_same(
    images: pd.DataFrame, tmp_path: Path, lose: object
) -> None:
    made = recipe("train.views=2", "train.mixup=0.2", "model.head={name=mlp,dropout=0.3}")
    train_run(made, Manifest(images), place(tmp_path, "whole"), Callbacks())
    for stop_after in (1, 9, 13):
        calls = iter(range(1, 10**6))
        stop = Callbacks(should_stop=lambda calls=calls, last=stop_after: next(calls) == last)  # type: ignore[misc] # mypy sees no defaults of a lambda
        begun = (tmp_path / "parts").exists()
        with refuses("training-stopped"):
            train_run(made, Manifest(images), place(tmp_path, "parts"), stop, resume=begun)
        if lose:
            RunFolder(tmp_path / "parts").features(0).unlink(missing_ok=True)
    train_run(made, Manifest(images), place(tmp_path, "parts"), Callbacks(), resume=True)
    whole, parts = (load_file(tmp_path / n / "model.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_an_epoch_on_features_is_far_faster(images: pd.DataFrame, tmp_path: Path) -> None:
    slow = train_run(
        recipe("image.size=128"), Manifest(images), place(tmp_path, "slow"), Callbacks()
    )
    fast = train_run(
        recipe("image.size=128", "train.views=2"),
        Manifest(images),
        place(tmp_path, "fast"),
        Callbacks(),
    )
    quickest = [min(e.seconds for e in card.training.history) for card in (slow, fast)]
    assert quickest[0] > 3 * quickest[1]


def test_views_of_a_base_that_learns_are_refused() -> None:
    with refuses("frozen-views-contradict", "2"):
        load_recipe("demo", ["train.views=2"])


def test_features_that_cannot_be_written_are_a_sentence(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(RunFolder, "features", lambda *_: tmp_path / "file" / "x.npy")
    with refuses("file-not-written", "x.npy"):
        train_run(recipe("train.views=1"), Manifest(images), place(tmp_path, "run"), Callbacks())
