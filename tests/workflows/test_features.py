"""What is shown of a run's network: the same guards as an evaluation, and files that are whole."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

import pulmo
from fixtures.refuses import refuses
from pulmo.bundle.card import read_card
from pulmo.core.folders import FeaturesFolder, RunFolder
from pulmo.core.recipe import Recipe
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.test_access import read_accesses
from pulmo.explain.features.record import Features, Separation, read_features
from pulmo.explain.features.shown import UNTRAINED
from pulmo.explain.features.untrained import untrained_classifier
from pulmo.models.classifier import make_classifier
from pulmo.workflows.features import features
from pulmo.workflows.options.evaluation import FeaturesOptions

QUICK = FeaturesOptions(depths=2, channels=3, steps=0, device="cpu")


@pytest.fixture
def own(run: RunFolder, tmp_path: Path) -> RunFolder:
    """A copy of the run, for each access to a test is recorded in it."""
    left = shutil.ignore_patterns("test-access.jsonl", "checkpoints")
    return RunFolder(Path(shutil.copytree(run.root, tmp_path / "run", ignore=left)))


def kinds(found: Features) -> set[str]:
    return {note.kind for note in found.notes}


def separation(found: Features) -> Separation:
    assert found.separation is not None
    return found.separation


def test_drawings_values_table_page_and_index(
    own: RunFolder, images: pd.DataFrame, image: Path, tmp_path: Path
) -> None:
    options = FeaturesOptions(channels=4, steps=2, device="cpu")
    data, folder = Manifest(images), FeaturesFolder(tmp_path / "new" / "features")
    report = pulmo.features(own.root, image, data=data, output=folder.root, options=options)
    found = read_features(folder.index)
    assert found == report.features
    assert found.image == image.name
    assert len(found.layers) == 4
    first, *_, last = found.layers
    assert first.name == "backbone.layers.0.0"
    assert (first.rows, last.rows) == (32, 8)
    named = {name for layer in found.layers for name in layer.files.values()}
    others = {folder.arrays, folder.channels, folder.page, folder.index}
    assert {path.name for path in folder.root.iterdir()} == named | {each.name for each in others}
    with np.load(folder.arrays) as values:
        maps = values[f"maps/untrained/{last.name}"]
        assert maps.shape == (last.channels, last.rows, last.columns)
        assert values["input"].shape == (64, 64)
        assert values[f"inputs/trained/{first.name}"].shape == (4, 64, 64)
    response = last.responses[UNTRAINED][0]
    assert response.highest == maps[response.channel].max()
    table = read_parquet(folder.channels)
    assert len(table) == 2 * separation(found).tested
    assert separation(found).tested == 2 * 4 * sum(layer.channels for layer in found.layers)
    pd.testing.assert_frame_equal(table, report.to_frame(), check_dtype=False)
    assert f"4 layers, {image.name}" in report._repr_html_()


def test_channels_are_selected_on_val_and_reported_on_test_which_is_recorded(
    own: RunFolder, images: pd.DataFrame, image: Path
) -> None:
    data = Manifest(images)
    one = features(own.root, image, data=data, options=QUICK).features
    told = separation(one)
    assert (told.selected_on, told.reported_on) == ("split val", "split test")
    assert told.n == len(data.split("test")) == sum(told.labels.values())
    assert told.manifest_sha256 == data.split("test").sha256
    assert "same-images" not in kinds(one)
    (access,) = read_accesses(own.test_access)
    assert (access.split, access.images) == ("test", told.n)
    assert access.weights_sha256 == read_card(own.card).network.sha256
    again = features(own.root, image, data=data, options=QUICK).features
    assert (told.test_accesses, separation(again).test_accesses) == (1, 2)
    assert {area.label for area in told.best} == set(told.labels) == set(told.gains)


def test_one_split_alone_is_said_to_select_and_report(
    own: RunFolder, images: pd.DataFrame, image: Path
) -> None:
    data = Manifest(images)
    options = FeaturesOptions(depths=1, channels=1, steps=0, split="val")
    found = features(own.root, image, data=data, options=options).features
    assert {"same-images", "seen-images"} <= kinds(found)
    assert separation(found).selected_on == separation(found).reported_on == "split val"
    assert not own.test_access.exists()
    rest = data.split("train", "test")
    unsplit = features(own.root, image, data=rest, options=QUICK).features
    assert len(separation(unsplit).excluded) == len(data.split("train"))
    assert separation(unsplit).n == len(data.split("test"))
    assert {"same-images", "images-excluded"} <= kinds(unsplit)
    assert len(read_accesses(own.test_access)) == 1


def test_an_image_and_a_model_have_their_notes(own: RunFolder, images: pd.DataFrame) -> None:
    for split, seen in (("train", True), ("test", False)):
        path = images.loc[images["split"] == split, "path"].iloc[0]
        found = features(own.root, path, options=QUICK).features
        assert ("seen" in kinds(found)) == seen
        assert {"drawings", "untrained-start"} <= kinds(found)
        assert found.separation is None


def test_labels_that_the_model_does_not_know_are_counted(
    own: RunFolder, images: pd.DataFrame, image: Path
) -> None:
    test = images["split"] == "test"
    first = images.index[test][0]
    images.loc[first, "label"] = "other"
    found = features(own.root, image, data=Manifest(images), options=QUICK).features
    assert separation(found).skipped == {"other": 1}
    assert separation(found).n == int(test.sum()) - 1


def test_images_that_cannot_be_read_are_named(
    own: RunFolder, images: pd.DataFrame, image: Path, tmp_path: Path
) -> None:
    rows = images[images["split"] == "test"]
    gone, changed = rows.index[:2]
    images.loc[gone, "path"] = str(tmp_path / "gone.png")
    images.loc[changed, "sha256"] = "0" * 64
    report = features(own.root, image, data=Manifest(images), options=QUICK)
    assert [each.path for each in report.failed] == [
        str(tmp_path / "gone.png"), str(images.loc[changed, "path"]),
    ]  # fmt: skip
    assert separation(report.features).n == len(rows) - 2
    images.loc[rows.index, "path"] = [str(tmp_path / f"{number}.png") for number in rows.index]
    with refuses("images-unreadable"):
        features(own.root, image, data=Manifest(images), options=QUICK)


def test_what_is_refused_leaves_no_folder_and_no_access(
    own: RunFolder, bundle: Path, images: pd.DataFrame, image: Path, tmp_path: Path
) -> None:
    data, output = Manifest(images), tmp_path / "a" / "new"
    with refuses("layer-unknown", "layers.0.O", "backbone.layers.0.0"):
        unknown = FeaturesOptions(layers=("layers.0.O",))
        features(own.root, image, data=data, output=output, options=unknown)
    with refuses("run-expected", str(bundle)):
        features(bundle, image, output=output)
    with refuses("run-missing"):
        features(tmp_path, image, output=output)
    with refuses("file-missing"):
        features(own.root, tmp_path / "no.png", output=output)
    with refuses("images-all-of-training"):
        features(own.root, image, data=data.split("train"), output=output)
    with refuses("images-missing"):
        features(own.root, image, data=Manifest.empty(), output=output)
    for options in (
        FeaturesOptions(depths=0),
        FeaturesOptions(channels=0),
        FeaturesOptions(steps=-1),
        FeaturesOptions(seed=-1),
    ):
        with refuses("number-too-low"):
            features(own.root, image, output=output, options=options)
    with refuses("split-unknown"):
        features(own.root, image, output=output, options=FeaturesOptions(split="tset"))
    with refuses("device-unknown"):
        features(own.root, image, output=output, options=FeaturesOptions(device="tpu"))
    leaking = images.copy()
    leaking.loc[leaking["split"] == "val", "group"] = "one"
    leaking.loc[leaking["split"] == "test", "group"] = "one"
    with refuses("split-leaks"):
        features(own.root, image, data=Manifest(leaking), output=output)
    own.card.unlink()
    with refuses("run-unfinished"):
        features(own.root, image, output=output)
    assert not output.parent.exists()
    assert not own.test_access.exists()


def test_named_layers_are_shown_in_the_order_of_the_network(own: RunFolder, image: Path) -> None:
    names = ("backbone.layers.2.activation", "backbone.layers.0.2")
    options = FeaturesOptions(layers=names, channels=1, steps=0)
    found = features(own.root, image, options=options).features
    assert [layer.name for layer in found.layers] == [names[1], names[0]]
    assert {kind for layer in found.layers for kind in layer.files} == {"maps", "places"}


def test_the_untrained_network_is_the_one_that_the_training_began_with(
    own: RunFolder, quick_recipe: Recipe
) -> None:
    card = read_card(own.card)
    made = untrained_classifier(own, card)
    labels, seed = quick_recipe.labels.order, quick_recipe.train.seed
    expected = make_classifier(quick_recipe.model, labels, seed, size=64).classifier
    for one, other in zip(made.classifier.parameters(), expected.parameters(), strict=True):
        assert torch.equal(one, other)
    assert [note.kind for note in made.notes] == ["untrained-start"]
    assert "random weights" in made.notes[0].text
    sittings = json.loads(own.environment.read_text())
    sittings[0]["packages"]["torch"] = "1.0"
    own.environment.write_text(json.dumps(sittings))
    changed = untrained_classifier(own, card)
    assert [note.kind for note in changed.notes] == ["untrained-start", "untrained-versions"]


def test_weights_that_the_training_started_from_are_those_of_the_untrained_network(
    own: RunFolder, quick_recipe: Recipe, tmp_path: Path
) -> None:
    other = make_classifier(quick_recipe.model, ("covid", "normal"), 99, size=64).classifier
    save_file(other.backbone.layers.state_dict(), tmp_path / "start.safetensors")
    model = quick_recipe.model.model_copy(update={"weights": str(tmp_path / "start.safetensors")})
    own.recipe.write_text(quick_recipe.model_copy(update={"model": model}).to_toml())
    card = read_card(own.card)
    with refuses("starting-weights-changed", "start.safetensors"):
        untrained_classifier(own, card)
    made = make_classifier(model, quick_recipe.labels.order, 0, size=64)
    network = card.network.model_copy(update={"weights": made.weights})
    found = untrained_classifier(own, card.model_copy(update={"network": network}))
    assert "start.safetensors" in found.notes[0].text
    assert "other images" in found.notes[0].text
    for name, tensor in found.classifier.backbone.layers.state_dict().items():
        assert torch.equal(tensor, other.backbone.layers.state_dict()[name])
    (tmp_path / "start.safetensors").unlink()
    with refuses("file-missing", "start.safetensors"):
        untrained_classifier(own, card)
