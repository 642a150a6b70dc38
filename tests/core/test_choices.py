"""What a recipe names: how it is read and written, and what a wrong name or parameter says."""

import subprocess
import sys
import tomllib
from typing import Annotated

import pytest
from pydantic import Field

from fixtures.refuses import refuses
from pulmo.core.choices import Choice, Choices, file_name
from pulmo.core.recipe import load_recipe, parse_recipe
from pulmo.core.recipe_file import shipped_recipes
from pulmo.core.sections import Number
from pulmo.train.losses import LOSSES
from pulmo.train.losses.focal import Focal


def test_a_name_stands_for_its_defaults() -> None:
    recipe = load_recipe("demo", ["train.loss=focal"])
    assert recipe.train.loss == Focal() == Focal(alpha=1.0, gamma=2.0)
    assert recipe.train.loss.name == "focal"


@pytest.mark.parametrize(
    "settings",
    [
        ["train.loss={name=focal,gamma=1.5}"],
        ["train.loss=focal", "train.loss.gamma=1.5"],
        ["train.loss.name=focal", "train.loss.gamma=1.5"],
    ],
)
def test_a_parameter_is_set_in_a_table_or_by_its_key(settings: list[str]) -> None:
    assert load_recipe("demo", settings).train.loss == Focal(gamma=1.5)


def test_a_table_without_a_name_is_of_the_usual_one() -> None:
    assert load_recipe("demo", ["train.schedule.warmup=0.5"]).train.schedule.table() == {
        "warmup": 0.5
    }


def test_a_recipe_is_written_with_every_parameter_and_read_again() -> None:
    recipe = load_recipe("demo", ["train.loss=focal", "train.stages=[{schedule=step},{}]"])
    written = tomllib.loads(recipe.to_toml())
    assert written["train"]["loss"] == {"name": "focal", "alpha": 1.0, "gamma": 2.0}
    assert written["image"]["grey"] == "plain"
    assert [stage["schedule"]["name"] for stage in written["train"]["stages"]] == [
        "step", "one-cycle"
    ]  # fmt: skip
    assert parse_recipe(written, "it") == recipe


@pytest.mark.parametrize(
    ("setting", "refused"),
    [
        (
            "train.loss=focl",
            ("recipe-invalid", "train.loss: There is no loss 'focl'", "Did you mean 'focal'"),
        ),
        ("train.loss=3", ("recipe-invalid", "train.loss: A name, or a table with a name")),
        (
            "train.loss={name=focal,gama=1}",
            ("recipe-invalid", "no parameter 'gama'", "Did you mean 'gamma'"),
        ),
        (
            "train.loss={name=focal,gamma=-1}",
            ("recipe-invalid", "train.loss.gamma", "greater than or equal to 0"),
        ),
        (
            "model.head.hidden=3",
            ("recipe-invalid", "'linear' has no parameter 'hidden'", "mlp would take it"),
        ),
        (
            "train.stages=[{schedule=stp}]",
            ("recipe-invalid", "train.stages.0.schedule: There is no schedule"),
        ),
        (
            "augment.blurr=1",
            ("recipe-invalid", "augment: There is no augmentation 'blurr'", "Did you mean 'blur'"),
        ),
        ("augment.blur=9", ("recipe-invalid", "augment.blur", "less than or equal to 5, got 9")),
        (
            "augment.blur={sigma=1}",
            ("recipe-invalid", "'blur' has no parameter 'sigma'; it has strength"),
        ),
        ("augment=3", ("recipe-invalid", "augment: A table of strengths was expected")),
        ("image.grey=true", ("recipe-invalid", "image.grey: A name")),
    ],
)
def test_a_wrong_name_or_parameter_is_a_sentence(setting: str, refused: tuple[str, ...]) -> None:
    with refuses(*refused):
        load_recipe("demo", [setting])


def test_a_choice_is_of_its_own_registry_only() -> None:
    others: Choices[Choice] = Choices("other", "pulmo.train.losses")

    @others.register("other")
    class Other(Choice):
        """Another."""

        value: Annotated[Number, Field(ge=0)] = 1.0

    with pytest.raises(TypeError, match="is no loss"):
        LOSSES.chosen(Other())
    assert str(Other()) == "other (value 1)"
    assert file_name(Other(value=0.5)) == "other-value0.5"
    assert LOSSES.chosen(Focal()) == Focal()


def test_recipes_are_read_without_torch() -> None:
    code = (
        "import sys; sys.modules.update(torch=None, timm=None)\n"
        "from pulmo.core.explained import explained_toml\n"
        "from pulmo.core.recipe import load_recipe\n"
        "from pulmo.core.recipe_file import shipped_recipes\n"
        "for name in shipped_recipes(): explained_toml(load_recipe(name))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert shipped_recipes()
