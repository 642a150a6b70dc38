"""A new loss, augmentation and grey scale are one class in one file each, and nothing else."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.explained import explained_toml
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.radiograph.changes import AUGMENTATIONS
from pulmo.radiograph.grey import GREY_SCALES
from pulmo.train.callbacks import Callbacks
from pulmo.train.losses import LOSSES
from pulmo.train.run import Place, train_run

LOSS = '''
from pulmo.core.sections import Positive
from pulmo.train.losses import LOSSES, Loss

@LOSSES.register("squared")
class Squared(Loss):
    """Squared distance of the probabilities."""

    factor: Positive = 1.0
    """Factor of the loss."""

    def terms(self, logits, targets):
        return self.factor * (logits.softmax(1) - targets) ** 2
'''
AUGMENTATION = '''
from typing import Annotated
from pydantic import Field
from pulmo.core.sections import Number
from pulmo.radiograph.changes import AUGMENTATIONS, Regrade, uniform

@AUGMENTATIONS.register("fade")
class Fade(Regrade):
    """Greys move towards the middle."""

    words = "fading up to {:g}"
    strength: Annotated[Number, Field(ge=0, lt=1)] = 0.0
    """Largest part of the way to the middle grey."""

    def draw(self, shape, generator):
        return uniform(shape[0], self.strength, generator).abs()

    def apply(self, images, drawn):
        return images + drawn.view(-1, 1, 1, 1) * (0.5 - images)
'''
GREY = '''
import numpy as np
from pulmo.core.sections import Positive
from pulmo.radiograph.grey import GREY_SCALES, GreyScale

@GREY_SCALES.register("power")
class Power(GreyScale):
    """The grey to a power."""

    exponent: Positive = 2.0
    """The power."""

    def apply(self, pixels):
        return np.asarray(pixels ** self.exponent, np.float32)
'''


@pytest.fixture
def _added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writes and imports the three files; their names are forgotten after the test."""
    for registry in (LOSSES, AUGMENTATIONS, GREY_SCALES):
        monkeypatch.setattr(registry, "_things", dict(registry))
    for name, text in (("a_loss", LOSS), ("a_change", AUGMENTATION), ("a_grey", GREY)):
        path = tmp_path / f"{name}.py"
        path.write_text(text)
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


@pytest.mark.usefixtures("_added")
def test_a_recipe_that_names_them_trains(images: pd.DataFrame, tmp_path: Path) -> None:
    few = pd.concat([images[images["split"] == split].groupby("label").head(n)
                     for split, n in (("train", 2), ("val", 1))])  # fmt: skip
    settings = ["image.size=32", "train.epochs=1", "train.batch=4", "augment.fade=0.3",
                "train.loss={name=squared,factor=2}", "image.grey=power"]  # fmt: skip
    recipe = load_recipe("demo", settings)
    shown = explained_toml(recipe)
    for words in ("Factor of the loss.", "Largest part of the way to the middle", "The power."):
        assert f"# {words}" in shown
    steps: list[object] = []
    place = Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu")
    card = train_run(recipe, Manifest(few), place, Callbacks(on_step=steps.append))
    assert len(steps) == 2
    assert card.input.grey.table() == {"exponent": 2.0}
    assert load_recipe(str(place.folder.recipe)) == recipe
    plain = load_recipe("demo", settings[:3])
    other = Place(RunFolder(tmp_path / "plain"), tmp_path / "cache", "cpu")
    loss = train_run(plain, Manifest(few), other, Callbacks()).training.history[0].train_loss
    assert card.training.history[0].train_loss != loss
