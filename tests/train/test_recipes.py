"""Every shipped recipe trains on drawn images, with its own strategy and a small network."""

import json
from pathlib import Path

import pandas as pd
import pytest

from pulmo.core.folders import RunFolder
from pulmo.core.labels import class_numbers
from pulmo.core.recipe import load_recipe
from pulmo.core.recipe_file import shipped_recipes
from pulmo.core.training import StageSection
from pulmo.datasets.manifest import Manifest
from pulmo.models.backbone import make_backbone
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run

# The networks are tested by themselves; these stand in, with as many layer groups where it counts.
_STAND_INS = {"resnet34": "resnet18"}
_OWN = {"capstone-baseline", "mini-vggnet", "compact"}


def settings(name: str) -> list[str]:
    """What makes a recipe cheap and leaves its strategy alone."""
    recipe = load_recipe(name)
    backbone = recipe.model.backbone
    small = _STAND_INS.get(backbone, backbone if backbone in _OWN else "compact")
    stages = [f"train.stages.{n}.epochs=1" for n in range(len(recipe.train.stages))]
    return ["image.size=64", f"model.backbone={small}", "model.weights=none", "data={}",
            "train.epochs=1", "train.batch=16", "train.precision=fp32", *stages]  # fmt: skip


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_recipe_trains(name: str, images: pd.DataFrame, tmp_path: Path) -> None:
    recipe = load_recipe(name, settings(name))
    card = train_run(
        recipe,
        Manifest(images),
        Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu"),
        Callbacks(),
    )
    assert len(card.training.history) == len(recipe.train.plan)
    train = images[images["split"] == "train"]
    used = class_numbers(train["label"], recipe.labels.order, recipe.labels.merge) >= 0
    assert sum(card.training.counts["train"].values()) == sum(used)


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_quick_variant_is_the_recipe_with_less_work(name: str) -> None:
    if name in {"demo", "starter"}:
        pytest.skip("it is quick already")
    whole, quick = load_recipe(name), load_recipe(name, quick=True)
    assert quick.name == f"{name}-quick"
    cheap = {"epochs", "views", "size"}
    changed = _changed(json.loads(whole.model_dump_json()), json.loads(quick.model_dump_json()))
    assert {key.rpartition(".")[2] for key in changed} <= cheap | {"name"}
    assert changed
    assert sum(_cost(stage) for stage in quick.train.plan) <= sum(map(_cost, whole.train.plan))


def _cost(stage: StageSection) -> int:
    return stage.views or stage.epochs


def _changed(one: object, other: object, key: str = "") -> list[str]:
    """The dotted keys in which two trees differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [k for name in one for k in _changed(one[name], other[name], f"{key}.{name}")]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [k for n, (a, b) in pairs for k in _changed(a, b, f"{key}.{n}")]
    return [] if one == other else [key]


@pytest.mark.parametrize("name", shipped_recipes())
def test_a_recipes_network_exists_and_has_its_layer_groups(name: str) -> None:
    recipe = load_recipe(name)
    divisors = [len(s.lr_divisors) for s in recipe.train.plan if s.lr_divisors]
    if divisors:
        groups = len(make_backbone(recipe.model.backbone).groups()) + 1
        assert divisors == [groups]
