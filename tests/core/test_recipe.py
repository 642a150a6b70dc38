import tomllib
from pathlib import Path

import pytest

from pulmo.core.errors import InputError, UsageError
from pulmo.core.recipe import load_recipe, parse_recipe, shipped_recipes


def test_every_shipped_recipe_is_named_after_its_file() -> None:
    for name in shipped_recipes():
        assert load_recipe(name).name == name


def test_a_recipe_survives_toml() -> None:
    recipe = load_recipe(
        "demo",
        [
            "train.patience=3",
            "labels.merge={viral='bacterial'}",
            "labels.order=['covid','bacterial','normal']",
        ],
    )
    assert parse_recipe(tomllib.loads(recipe.to_toml()), "it") == recipe


def test_settings_are_toml_or_text() -> None:
    recipe = load_recipe(
        "demo", ["train.lr=0.5", "model.weights=some/file", "data.views=['PA']", "train.seed=3"]
    )
    assert (recipe.train.lr, recipe.model.weights) == (0.5, "some/file")
    assert (recipe.data.views, recipe.train.seed) == (("PA",), 3)


def test_the_hash_follows_the_content() -> None:
    assert load_recipe("demo").sha256 == load_recipe("demo").sha256
    assert load_recipe("demo").sha256 != load_recipe("demo", ["train.seed=1"]).sha256


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("train.epoch=2", "train.epoch is not known, did you mean 'epochs'"),
        ("modle.x=1", "modle is not known, did you mean 'model'"),
        ("train.zzz=1", "train.zzz is not known; known are epochs"),
        ("train.lr=fast", "train.lr: .* got 'fast'"),
        ("train.lr=-1", "train.lr: .* greater than 0"),
        ("image.size=4096", "image.size: .* 1024"),
        ("labels.order=['covid']", "two or more"),
        ("labels.order=['covid','nromal']", "Did you mean 'normal'"),
        ("decision.positive=['other']", "decision.positive must name"),
        ("decision.positive=[]", "decision.positive must name"),
        ("decision.positive=['covid','covid']", "each once"),
        ("decision.positive=['covid','bacterial','viral','normal']", "some but not all"),
        ("labels.ordr=['covid']", "labels.ordr is not known, did you mean 'order'"),
        ("train.lr=true", "train.lr: .* valid number"),
        ("train.epochs='3'", "train.epochs: .* valid integer"),
        ("model.mean=nan", "model.mean: .* finite"),
        ("train.batch=1", "train.batch: .* greater than or equal to 2"),
        (".a=3", "is not a setting"),
        ("name.a=1", "'name' is a value, not a section"),
        ("train.lr", "is not a setting"),
    ],
)
def test_a_bad_setting_is_a_sentence(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        load_recipe("demo", [setting])


def test_a_recipe_without_a_network_names_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("name = 'mine'\ndescription = ''\nlabels = {order = ['covid', 'normal']}\n")
    with pytest.raises(UsageError, match="model is missing; decision is missing"):
        load_recipe(str(path))


def test_an_unknown_recipe_names_the_nearest() -> None:
    with pytest.raises(UsageError, match="Did you mean 'starter'"):
        load_recipe("startr")
    with pytest.raises(UsageError, match=r"shipped are .*\.$"):
        load_recipe("zzzzzz")


def test_a_recipe_file_must_exist_and_be_toml(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        load_recipe(str(tmp_path / "none.toml"))
    (tmp_path / "bad.toml").write_text("= 3")
    with pytest.raises(UsageError, match="not valid TOML"):
        load_recipe(str(tmp_path / "bad.toml"))
