"""Images in a GPU's memory; the processor stands in for it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import make_classifier
from pulmo.train import training_data
from pulmo.train.engine import Engine, begin_stage, images_of, infer
from pulmo.train.loop import augmented
from pulmo.train.training_data import gather, load_images, resident_images

CPU = torch.device("cpu")


@pytest.fixture
def engine(quick_recipe: Recipe, images: pd.DataFrame, tmp_path: Path) -> Engine:
    material = gather(quick_recipe, Manifest(images), tmp_path)
    labels, size = quick_recipe.labels.order, quick_recipe.image.size
    classifier = make_classifier(quick_recipe.model, labels, 0, size=size).classifier
    return begin_stage(quick_recipe, quick_recipe.train.plan[0], material, classifier)


def test_the_same_images_come_from_either_place(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_data, "_CHUNK", 7)
    assert engine.resident is None
    held = engine._replace(resident=load_images(engine.data.images, CPU))
    rows = np.array([5, 0, 11, 5])
    assert torch.equal(images_of(held, rows), images_of(engine, rows))
    positions, mine = np.array([3, 1, 2]), np.array([0, 2])
    drawn = (augmented(each, positions, mine, 9) for each in (engine, held))
    assert torch.equal(*drawn)
    read, kept = (next(infer(each, engine.data.val))[0] for each in (engine, held))
    np.testing.assert_array_equal(read, kept)


@pytest.mark.parametrize(("room", "held"), [(2.1, True), (1.9, False)])
def test_they_go_where_there_is_room(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, *, room: float, held: bool
) -> None:
    images = engine.data.images
    size = len(images.shard) * 64 * 64
    free = (int(room * size), 0)
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _: free)
    monkeypatch.setattr(training_data, "load_images", lambda *_: torch.zeros(1))
    assert (resident_images(images, torch.device("cuda")) is not None) == held
    assert resident_images(images, CPU) is None
