"""A manifest for those who train with code of their own."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.utils.data import DataLoader

import pulmo
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.training_data import gather


def test_items_are_what_a_run_learns_from(
    images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
) -> None:
    manifest = Manifest(images)
    data = pulmo.torch_dataset(manifest, quick_recipe, split="val")
    learnt = gather(quick_recipe, manifest, tmp_path)
    inputs = learnt.images.take(learnt.val)
    assert len(data) == len(learnt.val)
    np.testing.assert_array_equal(data.targets.numpy(), learnt.truth[learnt.val])
    for place in (0, len(data) - 1):
        image, target = data[place]
        assert (image.shape, image.dtype) == ((1, 64, 64), torch.float32)
        np.testing.assert_array_equal(np.rint(image[0].numpy() * 255), inputs[place])
        assert data.labels[target] == manifest.split("val").frame["label"].iloc[place]
    batch, targets = next(iter(DataLoader(data, batch_size=4)))
    assert (batch.shape, targets.shape) == ((4, 1, 64, 64), (4,))


def test_the_network_of_a_run_gives_what_its_bundle_gives(
    images: pd.DataFrame, quick_recipe: Recipe, run: RunFolder, bundle: Path
) -> None:
    data = pulmo.torch_dataset(Manifest(images), quick_recipe, split="test")
    classifier = pulmo.load_classifier(run.root)
    assert not classifier.training
    with torch.inference_mode():
        shares = torch.softmax(classifier(data[0][0][None]), 1)[0]
    model = pulmo.load(bundle)
    result = model.predict(data.manifest.frame["path"].iloc[0])
    raised = np.array([*result.probabilities.values()]) ** model.card.temperature
    np.testing.assert_allclose(shares.numpy(), raised / raised.sum(), atol=1e-4)


def test_a_file_that_changed_is_refused(
    images: pd.DataFrame, quick_recipe: Recipe, phantoms: Path
) -> None:
    data = pulmo.torch_dataset(Manifest(images.assign(sha256="0" * 64)), quick_recipe)
    with pytest.raises(pulmo.InputError):
        data[0]
    with pytest.raises(pulmo.InputError):
        pulmo.torch_dataset(Manifest.empty(), quick_recipe)
    with pytest.raises(pulmo.InputError):
        pulmo.load_classifier(phantoms.parent)
