"""What a training of the lungs shows: images, masks that move with them, and no lungs."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from fixtures.refuses import refuses
from pulmo.datasets.manifest import Manifest
from pulmo.train.lungs.data import LungImages, elsewhere, gather_lungs, lung_rows
from pulmo.train.lungs.drawn import add_marks, drawn_images
from pulmo.train.lungs.loop import draw_batch, learning_rate, lung_loss
from pulmo.train.lungs.run import LungData
from pulmo.train.lungs.settings import LungSettings
from pulmo.train.schedules import Span
from pulmo.train.schedules.one_cycle import OneCycle


def test_masks_are_of_frontal_images_and_lateral_ones_have_none(
    data: LungData, settings: LungSettings
) -> None:
    train, val = gather_lungs(data.manifest, data.masks, settings, data.cache)
    rows = lung_rows(data.manifest.split("train"), data.masks)
    assert len(rows.other) == 1
    assert len(rows.masked) == len(data.manifest.split("train")) - 1
    assert train.images.shape == train.masks.shape == (len(rows.masked) + 1 + 7 + 4, 64, 64)
    assert train.has_lungs.sum() == len(rows.masked)
    assert val.has_lungs.sum() == len(data.manifest.split("val")) - 1
    inside = np.array(
        [i[m].mean() for i, m in zip(train.images, train.masks, strict=True) if m.any()]
    )
    outside = np.array(
        [i[~m].mean() for i, m in zip(train.images, train.masks, strict=True) if m.any()]
    )
    assert (inside < outside).mean() > 0.5


def test_a_split_without_a_mask_is_refused(data: LungData, settings: LungSettings) -> None:
    bare = data.manifest.with_columns(view="lateral")
    with refuses("lung-images-missing", "train"):
        gather_lungs(bare, data.masks, settings, data.cache)


def test_other_parts_of_an_image_show_no_lung() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 64, 64)).astype(np.uint8)
    masks = np.zeros((3, 64, 64), np.bool_)
    masks[:, :, :40] = True
    images[masks] = 255
    found = elsewhere(LungImages(images, masks), 5, seed=1)
    assert found.images.shape == (5, 64, 64)
    assert not found.has_lungs.any()
    assert all((image == 255).mean() < 0.05 for image in found.images)
    masks[:] = True
    assert len(elsewhere(LungImages(images, masks), 5, seed=1).images) == 0


def test_drawn_images_differ_and_follow_from_the_seed() -> None:
    one, again, other = (drawn_images(14, 64, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert all((a != b).any() for a, b in zip(one, other, strict=True))
    assert all(image.std() > 3 for image in one)


def test_marks_change_some_pixels_of_some_images() -> None:
    images = np.full((40, 64, 64), 100, np.uint8)
    marked = add_marks(images, np.random.default_rng(0))
    changed = (marked != images).mean(axis=(1, 2))
    assert 0.2 < (changed > 0).mean() < 0.9
    assert (images == 100).all()


def test_a_mask_moves_with_its_image() -> None:
    masks = np.zeros((12, 64, 64), np.bool_)
    masks[:, 20:44, 14:30] = True
    shown = LungImages(np.where(masks, np.uint8(255), np.uint8(0)), masks)
    still = {"brightness", "contrast", "gamma", "noise", "blur", "erase"}
    table = {name: 0 if name in still else 10 for name in ("rotate", "shear", *still)}
    augment = {**table, "scale": 0.3, "flip": 0.5}
    settings = LungSettings.model_validate({"size": 64, "invert": 0, "augment": augment})
    batch = draw_batch(shown, np.arange(12), settings, (0, 0))
    moved = batch.masks.numpy() > 0.5
    assert (moved[:, 0] != masks).any(axis=(1, 2)).all()
    close = np.abs(batch.images.numpy() - batch.masks.numpy()) < 0.05
    # Marks are drawn on some of the images before they move.
    assert np.median(close.mean(axis=(1, 2, 3))) > 0.99


def test_a_batch_follows_from_seed_epoch_and_step() -> None:
    shown = LungImages(drawn_images(4, 64, 0), np.zeros((4, 64, 64), np.bool_))
    settings = LungSettings(size=64)
    rows = np.arange(4)
    one, again, other = (draw_batch(shown, rows, settings, (2, step)) for step in (5, 5, 6))
    assert torch.equal(one.images, again.images)
    assert not torch.equal(one.images, other.images)


def test_the_loss_is_lowest_for_the_truth() -> None:
    masks = torch.zeros(2, 1, 8, 8)
    masks[0, :, 2:6, 2:6] = 1
    right = lung_loss(20 * masks - 10, masks)
    assert float(right) < 0.05
    assert lung_loss(torch.zeros(2, 1, 8, 8), masks) > 10 * right
    # Without lungs only the cross-entropy counts.
    nothing = torch.zeros(1, 1, 8, 8)
    assert float(lung_loss(nothing, nothing)) == pytest.approx(np.log(2), abs=1e-6)


def test_the_rate_follows_its_cycle_and_cools_down() -> None:
    settings = LungSettings(epochs=26, cycle=40, cooldown=0.5)
    rates = [learning_rate(settings, step, 10) for step in range(261)]
    cycle = [OneCycle(warmup=0.1).rate(settings.lr, step, Span(40, 10)) for step in range(131)]
    assert rates[:131] == cycle
    assert all(later < earlier for earlier, later in pairwise(rates[130:]))
    assert rates[-1] == pytest.approx(0, abs=1e-9)


def test_settings_are_read_as_they_are_written(settings: LungSettings) -> None:
    again = LungSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert again.sha256 == settings.sha256
    assert again.sha256 != LungSettings().sha256


def test_a_manifest_without_other_views_is_enough(data: LungData, settings: LungSettings) -> None:
    frame = data.manifest.frame
    rows = lung_rows(Manifest(frame[frame["view"] != "lateral"]), data.masks)
    assert len(rows.other) == 0
    train, _ = gather_lungs(rows.masked, data.masks, settings, data.cache)
    assert (~train.has_lungs).sum() == 11
