"""A recipe with a line on each key: it is still the recipe, and no key goes without a line."""

import tomllib

import pytest

from pulmo.core.explained import explained_toml
from pulmo.core.keys import meanings
from pulmo.core.recipe import Recipe, load_recipe, parse_recipe
from pulmo.core.recipe_file import shipped_recipes
from pulmo.models.heads import HEADS


@pytest.mark.parametrize("name", shipped_recipes())
def test_it_is_the_recipe(name: str) -> None:
    recipe = load_recipe(name)
    assert parse_recipe(tomllib.loads(explained_toml(recipe)), "it") == recipe


def test_every_key_has_a_meaning_and_a_comment() -> None:
    settings = ["labels.order=[covid, normal]", "labels.merge={viral=covid}", "train.patience=3"]
    recipe = load_recipe("demo", [*settings, "model.head=mlp", "train.loss=focal"])
    lines = explained_toml(recipe).splitlines()
    for key, meaning in meanings(Recipe, values=recipe):
        assert meaning, key
        name = key.rpartition(".")[2]
        unset = f"# {name} is not set. "
        begins = [f"{name} = ", f"[{key}]"]
        places = [n for n, line in enumerate(lines) if line.startswith(tuple(begins))]
        assert any(line.startswith(unset) for line in lines) or places, key
        assert all(lines[n - 1].startswith("# ") for n in places), key
    assert (
        "# lr_first is not set. Peak learning rate of the first layer group; those between are"
        in ("\n".join(lines))
    )
    assert max(map(len, lines)) <= 120


def test_the_keys_below_a_choice_are_those_of_the_one_that_is_named() -> None:
    known = dict(meanings(Recipe, values=load_recipe("demo", ["model.head=mlp"])))
    assert {"model.head.hidden", "model.head.dropout"} <= set(known)
    assert "train.loss.gamma" not in known
    assert {"train.loss.gamma", "model.head.hidden"} <= set(dict(meanings(Recipe)))
    for name in HEADS:
        assert f"{name}: " in known["model.head"]
