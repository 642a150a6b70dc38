from pathlib import Path

import optuna
import pytest

from fixtures.refuses import refuses
from pulmo.core.recipe import write_recipe
from pulmo.experiments.search_space import Dimension, Scalar, read_space, with_values

DEMO = write_recipe("demo")


@pytest.fixture
def write(tmp_path: Path) -> Path:
    return tmp_path / "space.toml"


def test_quoted_and_nested_keys_ranges_and_choices(write: Path) -> None:
    write.write_text(
        '"train.lr" = {low = 1e-4, high = 1e-2, log = true}\n'
        '"train.optimiser" = {choices = ["adamw", "sgd"]}\n'
        "[augment.rotate]\nlow = 0\nhigh = 15\n"
    )
    assert read_space(write, DEMO) == {
        "train.lr": Dimension(low=1e-4, high=1e-2, log=True),
        "train.optimiser": Dimension(choices=("adamw", "sgd")),
        "augment.rotate": Dimension(low=0, high=15),
    }


def test_values_are_drawn_in_their_kind_and_stay_what_they_are() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    trial = study.ask()
    space = {
        "a": Dimension(low=1e-4, high=1e-2, log=True),
        "b": Dimension(low=3, high=9),
        "c": Dimension(choices=(True, False)),
        "d": Dimension(low=0, high=0.5),
    }
    values = {key: dimension.suggest(trial, key) for key, dimension in space.items()}
    assert [type(value) for value in values.values()] == [float, int, bool, float]
    assert values == {key: dimension.suggest(trial, key) for key, dimension in space.items()}
    kinds = {key: type(value).__name__ for key, value in trial.distributions.items()}
    assert list(kinds.values()) == [
        "FloatDistribution", "IntDistribution", "CategoricalDistribution", "FloatDistribution",
    ]  # fmt: skip
    assert trial.distributions["a"].to_internal_repr(1e-3) == 1e-3
    assert getattr(trial.distributions["a"], "log") is True  # noqa: B009 - of floats alone


def test_a_recipe_takes_the_values_as_they_are() -> None:
    base = write_recipe("demo", ("train.lr=0.5", "train.epochs=3"))
    values: dict[str, Scalar]
    values = {"train.lr": 1e-05, "train.optimiser": "sgd", "train.compile": True, "image.size": 32}
    recipe = with_values(base, values)
    section = recipe.train
    assert (section.lr, section.optimiser.name, section.compile) == (1e-5, "sgd", True)
    assert (section.epochs, recipe.image.size) == (3, 32)
    assert base.recipe().train.lr == 0.5
    assert 'train.lr=1e-05, train.optimiser="sgd"' in recipe.description


@pytest.mark.parametrize(
    ("text", "refused"),
    [
        ("", ("search-space-empty",)),
        ("low = ", ("toml-invalid",)),
        ("lr = {low = 1, high = 2}", ("search-key-unknown", "'lr'")),
        ("train.lr = 3", ("search-values-invalid", "train.lr: Input should be")),
        (
            "train.lr = {low = 1.0}",
            ("search-values-invalid", "train.lr: give low and high, or choices"),
        ),
        ("train.lr = {}", ("search-values-invalid", "train.lr: give low and high, or choices")),
        ("train.lr = {low = 2.0, high = 1.0}", ("search-values-invalid", "low must be below high")),
        (
            "train.lr = {low = 0.0, high = 1.0, log = true}",
            ("search-values-invalid", "above 0 with log"),
        ),
        (
            "train.lr = {low = 0.1, high = 1.0, choices = [1.0]}",
            ("search-values-invalid", "give choices, or low and high"),
        ),
        (
            "train.lr = {choices = [0.1]}",
            ("search-values-invalid", "two or more different choices"),
        ),
        (
            "train.lr = {choices = [0.1, 0.1, 0.2]}",
            ("search-values-invalid", "two or more different choices"),
        ),
        ("train.lr = {low = 1.0, hihg = 2.0}", ("search-values-invalid", "train.lr: Extra inputs")),
        (
            "train.lr = {low = true, high = 2.0}",
            ("search-values-invalid", "train.lr: Input should be"),
        ),
        ("train.rl = {low = 0.1, high = 0.2}", ("recipe-invalid", "train.rl", "'train.lr'")),
        ("train.epochs = {low = 0, high = 2}", ("recipe-invalid", "train.epochs")),
        (
            "train.optimiser = {choices = ['sgd', 'adma']}",
            ("recipe-invalid", "optimiser 'adma'"),
        ),
    ],
)
def test_what_is_no_space_says_why(write: Path, text: str, refused: tuple[str, ...]) -> None:
    write.write_text(text)
    with refuses(*refused):
        read_space(write, DEMO)


def test_a_missing_file(tmp_path: Path) -> None:
    with refuses("file-missing"):
        read_space(tmp_path / "none.toml", DEMO)


def test_a_key_that_every_stage_sets_itself_has_no_effect(write: Path) -> None:
    staged = write_recipe("demo", ("train.stages=[{lr=0.1},{lr=0.2}]",))
    write.write_text("train.lr = {low = 0.1, high = 0.2}")
    with refuses("search-key-without-effect", "lr"):
        read_space(write, staged)
    write.write_text('"train.stages.0.lr" = {low = 0.1, high = 0.2}')
    assert list(read_space(write, staged)) == ["train.stages.0.lr"]
    write.write_text("train.batch = {low = 4, high = 8}")
    assert list(read_space(write, staged)) == ["train.batch"]
    write.write_text("train.epochs = {low = 4, high = 8}")
    assert list(read_space(write, staged)) == ["train.epochs"]
