"""A training that starts from the model that comes with pulmo, and what its guards know of that."""

from pathlib import Path

import numpy as np
import onnx
import pandas as pd
import pytest
import torch

from fixtures.refuses import refuses
from pulmo.bundle.card import read_card
from pulmo.bundle.export import drawn_images, export_run
from pulmo.bundle.model_card import model_card
from pulmo.bundle.predictor import Predictor
from pulmo.core.folders import RunFolder, ShippedFolder
from pulmo.core.recipe import Recipe
from pulmo.core.sections import ModelSection
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import check_weights, make_classifier
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run
from pulmo.workflows.evaluate import evaluate

LABELS = ("covid", "normal")


def started(recipe: Recipe) -> Recipe:
    model = recipe.model.model_copy(update={"weights": "pulmo"})
    train = recipe.train.model_copy(update={"epochs": 1})
    return recipe.model_copy(update={"model": model, "train": train})


def test_the_backbone_is_that_of_the_onnx_file(
    shipped: ShippedFolder, quick_recipe: Recipe
) -> None:
    section = started(quick_recipe).model
    made = make_classifier(section, LABELS, seed=9, size=64)
    card = read_card(shipped.card)
    title = f"{card.name} of {card.created[:10]}"
    assert made.weights == f"pulmo, {title}, SHA-256 {card.network.sha256}"
    images = drawn_images(4, 64)
    expected = Predictor.open(shipped.root).features(images)
    with torch.no_grad():
        maps = made.classifier.eval().features(torch.from_numpy(images[:, None]).float() / 255)
    assert expected is not None
    np.testing.assert_allclose(maps.mean(dim=(2, 3)).numpy(), expected, rtol=1e-4, atol=1e-5)
    # The statistics of its batch normalisation came along, so it can be trained on.
    assert any(
        name.endswith("running_mean") and values.abs().max() > 0
        for name, values in made.classifier.state_dict().items()
    )


def test_another_network_or_no_model_is_refused(shipped: ShippedFolder) -> None:
    section = ModelSection(backbone="resnet18", weights="pulmo")
    for call in (check_weights, lambda each: make_classifier(each, LABELS, seed=0, size=64)):
        with refuses("shipped-weights-of-other-network", "compact", "resnet18"):
            call(section)
    own = section.model_copy(update={"backbone": "compact"})
    with shipped.model.open("ab") as file:
        file.write(b"x")
    with refuses("bundle-file-changed", "model.onnx"):
        make_classifier(own, LABELS, seed=0, size=64)
    shipped.card.unlink()
    with refuses("shipped-weights-missing"):
        check_weights(own)


def test_another_normalisation_must_be_set(shipped: ShippedFolder) -> None:
    network = onnx.load(shipped.model)
    means = [each for each in network.graph.initializer if each.name == "classifier.mean"]
    assert len(means) == 1
    card = read_card(shipped.card)
    np.testing.assert_allclose(onnx.numpy_helper.to_array(means[0]), card.input.mean)
    section = ModelSection(backbone="compact", weights="pulmo", mean=0.2, std=0.1)
    assert make_classifier(section, LABELS, seed=0, size=64).weights.startswith("pulmo, ")


def test_what_the_start_has_seen_counts_as_seen(
    shipped: ShippedFolder,
    images: pd.DataFrame,
    quick_recipe: Recipe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Predictor.open(shipped.root).seen
    # Validation and test change places with the training of the shipped model.
    sides = {"train": "test", "test": "train", "val": "val"}
    data = Manifest(images.assign(split=images["split"].map(sides).astype(images["split"].dtype)))
    run, notes = RunFolder(tmp_path / "run"), list[str]()
    callbacks = Callbacks(on_note=notes.append)
    card = train_run(started(quick_recipe), data, Place(run, tmp_path / "cache", "cpu"), callbacks)
    validation = int((images["split"] == "val").sum())
    assert card.training.seen_before == {"train": 0, "val": validation}
    assert any(f"on {validation} of the {validation} validation images" in note for note in notes)
    assert f"0 of the training images and on {validation} of the" in model_card(card)
    # Another version of pulmo comes with another model, or none.
    monkeypatch.setattr("pulmo.core.shipped.FOLDER", tmp_path / "nothing")
    export_run(run, tmp_path / "bundle")
    model = Predictor.open(tmp_path / "bundle")
    assert model.seen.short > before.short
    with refuses("images-all-of-training"):
        evaluate(tmp_path / "bundle", data, split="test")
    test = images["split"] == "test"
    assert model.seen.among(images["sha256"][test]).all()


def test_any_other_start_has_seen_nothing(run: RunFolder) -> None:
    assert not run.start_seen.exists()
    assert read_card(run.card).training.seen_before == {}
