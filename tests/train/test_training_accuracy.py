"""The share of the training images that were classified correctly, in the history."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fixtures.refuses import refuses
from pulmo.bundle.export import trained_classifier
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run
from pulmo.train.training_data import gather

# A head that does not move, on a base that rests: every step sees the network of the end.
STILL = ["image.size=32", "train.batch=8", "train.lr=1e-30", "train.precision=fp32", "augment={}",
         "train.trains=head", "train.epochs=1", "train.weight_decay=0.0"]  # fmt: skip


@pytest.mark.parametrize("views", [0, 1])
def test_it_is_that_of_the_network_on_the_images(
    images: pd.DataFrame, tmp_path: Path, views: int
) -> None:
    recipe = load_recipe("demo", [*STILL, f"train.views={views}"])
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    card = train_run(recipe, Manifest(images), place, Callbacks())
    material = gather(recipe, Manifest(images), place.cache)
    inputs = torch.from_numpy(material.images.take(material.train)[:, None]) / 255
    with torch.no_grad():
        decided = trained_classifier(place.folder, card)(inputs).argmax(1).numpy()
    right = np.mean(decided == material.truth[material.train])
    assert 0 < right < 1
    assert card.training.history[0].train_accuracy == pytest.approx(right)


def test_mixed_images_have_none(images: pd.DataFrame, tmp_path: Path) -> None:
    recipe = load_recipe("demo", [*STILL, "train.mixup=0.2"])
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    assert (
        train_run(recipe, Manifest(images), place, Callbacks()).training.history[0].train_accuracy
        is None
    )


def test_a_run_that_was_stopped_counts_on(images: pd.DataFrame, tmp_path: Path) -> None:
    recipe = load_recipe("demo", ["image.size=32", "train.batch=8", "train.epochs=2"])
    whole = Place(RunFolder(tmp_path / "whole"), tmp_path / "cache", "cpu")
    parts = whole._replace(folder=RunFolder(tmp_path / "parts"))
    expected = train_run(recipe, Manifest(images), whole, Callbacks()).training.history
    calls = iter(range(10**6))
    with refuses("training-stopped"):
        train_run(recipe, Manifest(images), parts, Callbacks(should_stop=lambda: next(calls) == 2))
    found = train_run(recipe, Manifest(images), parts, Callbacks(), resume=True).training.history
    accuracies = [epoch.train_accuracy for epoch in found]
    assert accuracies == [epoch.train_accuracy for epoch in expected]
