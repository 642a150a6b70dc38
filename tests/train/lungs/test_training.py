"""A training of the lungs from the first epoch to the file that ships."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from fixtures.refuses import refuses
from pulmo.core.folders import LungRunFolder
from pulmo.core.record import read_record
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.lungs import LungFinder
from pulmo.lungs.card import LungCard
from pulmo.models.lungs import make_lung_network
from pulmo.train.checkpoint import load_weights_of
from pulmo.train.lungs.data import gather_lungs
from pulmo.train.lungs.export import _check_parity, _FromBytes
from pulmo.train.lungs.finish import fitted, shape_of
from pulmo.train.lungs.loop import begin, predict, train_epoch
from pulmo.train.lungs.run import LungCallbacks, LungData, train_network
from pulmo.train.lungs.settings import LungEpoch, LungSettings
from pulmo.workflows.lungs import train_lungs
from pulmo.workflows.options.lungs import LungTrainOptions


def weights_of(network: nn.Module) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in network.state_dict().items()}


def test_a_training_learns_and_ends_with_a_network_and_its_card(
    lung_folder: LungRunFolder, settings: LungSettings, chests: Manifest
) -> None:
    lines = lung_folder.history.read_text().splitlines()
    epochs = [LungEpoch.model_validate_json(line) for line in lines]
    assert [each.epoch for each in epochs] == [1, 2]
    assert epochs[1].train_loss < epochs[0].train_loss
    card = read_record(lung_folder.card, LungCard, "a card")
    assert card.manifest_sha256 == chests.sha256 == read_manifest(lung_folder.manifest).sha256
    assert card.settings_sha256 == settings.sha256
    assert sum(card.images.values()) == len(chests.split("train")) - 1
    assert card.without == 1 + 7 + 4
    assert LungFinder(lung_folder.network.read_bytes(), "lungs.onnx").card == card


def test_what_ships_gives_what_was_trained(
    lung_folder: LungRunFolder, settings: LungSettings, data: LungData
) -> None:
    _, val = gather_lungs(data.manifest, data.masks, settings, data.cache)
    network = make_lung_network(settings.seed)
    load_weights_of(lung_folder.best_checkpoint, network)
    shipped = LungFinder(lung_folder.network.read_bytes(), "lungs.onnx").probabilities(val.images)
    np.testing.assert_allclose(shipped, predict(network, val.images), atol=0.02)


def test_a_training_that_was_stopped_ends_as_one_that_was_not(
    lung_folder: LungRunFolder, settings: LungSettings, data: LungData, tmp_path: Path
) -> None:
    folder = LungRunFolder(tmp_path / "run")
    with refuses("training-stopped", "1"):
        train_network(settings, data, folder, LungCallbacks(should_stop=lambda: True))
    with refuses("run-exists"):
        train_network(settings, data, folder, LungCallbacks())
    resumed = weights_of(train_network(settings, data, folder, LungCallbacks(), resume=True))
    network = make_lung_network(settings.seed)
    load_weights_of(lung_folder.best_checkpoint, network)
    assert all(torch.equal(value, resumed[name]) for name, value in weights_of(network).items())


def test_a_training_goes_on_with_nothing_else(
    lung_folder: LungRunFolder, settings: LungSettings, data: LungData, masks: Path
) -> None:
    other = settings.model_copy(update={"seed": 1})
    with refuses("run-settings-changed"):
        train_network(other, data, lung_folder, LungCallbacks(), resume=True)
    images = data._replace(manifest=data.manifest.with_columns(source="elsewhere"))
    with refuses("run-data-changed"):
        train_network(settings, images, lung_folder, LungCallbacks(), resume=True)
    with refuses("run-exists"):
        train_lungs(data.manifest, masks, lung_folder.root, LungTrainOptions(settings=settings))


def test_a_refused_training_leaves_no_folder(chests: Manifest, masks: Path, tmp_path: Path) -> None:
    with refuses("manifest-not-given"):
        train_lungs(None, masks, tmp_path / "run")
    with refuses("resume-without-run"):
        train_lungs(chests, masks, tmp_path / "run", LungTrainOptions(resume=True))
    with refuses("lung-masks-missing"):
        train_lungs(chests, tmp_path, tmp_path / "run")
    assert not (tmp_path / "run").exists()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    with refuses("folder-not-empty"):
        train_lungs(chests, masks, tmp_path / "full")


def test_a_loss_that_is_no_number_ends_the_training(settings: LungSettings, data: LungData) -> None:
    train, _ = gather_lungs(data.manifest, data.masks, settings, data.cache)
    learner = begin(settings)
    with torch.no_grad():
        next(learner.network.parameters()).fill_(float("nan"))
    with refuses("training-diverged"):
        train_epoch(learner, train, settings, 0)


def test_threshold_and_rule_follow_from_the_validation(
    lung_folder: LungRunFolder, settings: LungSettings, data: LungData
) -> None:
    _, val = gather_lungs(data.manifest, data.masks, settings, data.cache)
    draft = read_record(lung_folder.card, LungCard, "a card")
    # Sure inside, and 0.4 in a rim that is no lung: a threshold above that is right.
    wide = np.roll(val.masks, 3, axis=1) | np.roll(val.masks, -3, axis=1)
    found = np.where(val.masks, 0.95, np.where(wide, 0.4, 0.01)).astype(np.float32)
    card = fitted(draft, found, val)
    assert 0.4 < card.threshold < 0.7
    assert card.val_dice == 1.0
    assert card.val_refused == card.val_invented == 0
    known = np.flatnonzero(val.has_lungs)
    lowest = min(shape_of(found[n], card.threshold).area for n in known)
    assert 0 < card.rule.area < lowest


def test_an_export_that_differs_is_refused(lung_folder: LungRunFolder) -> None:
    finder = LungFinder(lung_folder.network.read_bytes(), "lungs.onnx")
    with refuses("export-result-differs"):
        _check_parity(_FromBytes(make_lung_network(1)).eval(), finder)
