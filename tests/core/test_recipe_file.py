"""Recipes that extend others."""

import tomllib
from pathlib import Path

import pytest

from fixtures.refuses import refuses
from pulmo.core.recipe import load_recipe
from pulmo.core.recipe_file import merged

NAMED = 'name = "mine"\ndescription = "Mine."\n'


@pytest.fixture
def write(tmp_path: Path) -> "Write":
    return Write(tmp_path)


class Write:
    """Writes a recipe that extends another, and returns the name of its file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, extends: str, body: str = "", file: str = "mine.toml") -> str:
        path = self.folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{NAMED}extends = {extends!r}\n{body}\n")
        return str(path)


def test_a_recipe_is_the_one_that_it_extends_but_for_what_it_states(write: Write) -> None:
    mine = load_recipe(write("starter", "[train]\nlr = 0.5\n[augment]\nblur = 1.0"))
    settings = ["name=mine", "description=Mine.", "train.lr=0.5", "augment.blur=1.0"]
    assert mine == load_recipe("starter", settings)
    assert tomllib.loads(mine.to_toml())["model"]["backbone"] == "mobilenetv2_100"
    assert "extends" not in mine.to_toml()


def test_a_chain_of_files_is_read_from_where_each_lies(write: Write) -> None:
    write("demo", "[train]\nlr = 0.5\nbatch = 4", "below/base.toml")
    write("base.toml", "[train]\nlr = 0.25", "below/middle.toml")
    mine = load_recipe(write("below/middle.toml", "[train]\nseed = 9"))
    assert (mine.train.lr, mine.train.batch, mine.train.seed) == (0.25, 4, 9)


@pytest.mark.parametrize(
    ("body", "head"),
    [
        ("head = {hidden = 3}", {"hidden": 3, "dropout": 0.1}),
        ('head = {name = "mlp", hidden = 3}', {"hidden": 3, "dropout": 0.1}),
        ('head = {name = "flatten-mlp"}', {"hidden": 512, "dropout": 0.0}),
        ('head = "linear"', {"dropout": 0.0}),
    ],
)
def test_another_choice_starts_anew_and_the_same_one_goes_on(
    write: Write, body: str, head: dict[str, float]
) -> None:
    mine = load_recipe(write("capstone-resnet34-freeze", f"[model]\n{body}"))
    assert mine.model.head.table() == head


def test_a_name_may_get_parameters() -> None:
    base = {"train": {"loss": "focal"}}
    changes = {"train": {"loss": {"gamma": 1.0}}}
    assert merged(base, changes) == {"train": {"loss": {"name": "focal", "gamma": 1.0}}}
    assert base == {"train": {"loss": "focal"}}


def test_a_list_takes_the_place_of_a_list(write: Write) -> None:
    mine = load_recipe(write("fastai-resnet50", "[[train.stages]]\nepochs = 3\n"))
    assert [stage.epochs for stage in mine.train.stages] == [3]


def test_a_variant_is_inherited_replaced_or_taken_away(write: Write) -> None:
    base = "vgg16-cli"
    same = load_recipe(write(base), quick=True)
    assert (same.name, same.train.views) == ("mine-quick", 4)
    other = write(base, '[quick]\n"train.epochs" = 1\n[scratch.quick]\n"image.size" = 64')
    assert load_recipe(other, quick=True).train.views == 0
    assert load_recipe(other, scratch=True).train.lr == 1e-4
    assert load_recipe(other, scratch=True, quick=True).image.size == 64
    without = write(base, "[quick]\n[scratch]")
    with refuses("recipe-variant-missing", "quick"):
        load_recipe(without, quick=True)
    assert load_recipe(without, scratch=True).name == "mine"


def test_a_name_and_a_description_are_a_recipes_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('extends = "demo"\n')
    with refuses("recipe-invalid", "name is missing; description is missing"):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("extends", "refused"),
    [
        ("startr", ("recipe-unknown", "'startr'", "Did you mean 'starter'")),
        ("mine.toml", ("recipe-cycle", "mine.toml extends", "mine.toml")),
        ("other.toml", ("recipe-cycle", "mine.toml extends", "other.toml extends", "mine")),
    ],
)
def test_what_cannot_be_extended_is_said(
    write: Write, extends: str, refused: tuple[str, ...]
) -> None:
    write("mine.toml", file="other.toml")
    with refuses(*refused):
        load_recipe(write(extends))


def test_only_a_name_can_be_extended(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(f"{NAMED}extends = 3\n")
    with refuses("recipe-base-invalid", "extends", "3"):
        load_recipe(str(path))


def test_a_fault_names_the_file_and_what_it_extends(write: Write) -> None:
    with refuses("recipe-invalid", "mine.toml, which extends demo"):
        load_recipe(write("demo", "[train]\nspeed = 3"))
