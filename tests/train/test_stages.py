"""Runs of several stages, each strategy at work."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor

from fixtures.refuses import refuses
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import make_classifier
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run

QUICK = ["image.size=32", "train.batch=8", "train.lr=0.01", "train.precision=fp32"]
TWO = '[{epochs=2,trains="head"},{epochs=2,lr=0.002,lr_first=0.0002}]'


def recipe(*settings: str) -> Recipe:
    return load_recipe("demo", [*QUICK, *settings])


def trained(made: Recipe, images: pd.DataFrame, folder: Path) -> dict[str, Tensor]:
    train_run(
        made,
        Manifest(images),
        Place(RunFolder(folder), folder.parent / "cache", "cpu"),
        Callbacks(),
    )
    return load_file(folder / "model.safetensors")


def initial(made: Recipe) -> dict[str, Tensor]:
    section, labels = made.model, made.labels.order
    return make_classifier(section, labels, made.train.seed, size=32).classifier.state_dict()


def test_a_frozen_base_keeps_weights_and_statistics(images: pd.DataFrame, tmp_path: Path) -> None:
    made = recipe("train.epochs=2", "train.trains=head")
    before, after = initial(made), trained(made, images, tmp_path / "run")
    assert before.keys() == after.keys()
    for name, value in after.items():
        assert torch.equal(value, before[name]) is name.startswith("backbone."), name


def test_the_second_stage_moves_what_the_first_left(images: pd.DataFrame, tmp_path: Path) -> None:
    made = recipe(f"train.stages={TWO}")
    card = train_run(
        made,
        Manifest(images),
        Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu"),
        Callbacks(),
    )
    assert [epoch.stage for epoch in card.training.history] == [1, 1, 2, 2]
    rates = [epoch.lr for epoch in card.training.history]
    assert max(rates[:2]) <= 0.01
    assert max(rates[2:]) <= 0.002
    assert RunFolder(tmp_path / "run").recipe.read_text() == made.to_toml()
    assert load_recipe(str(tmp_path / "run" / "recipe.toml")) == made


@pytest.mark.parametrize("average", ["none", "ema", "swa"])
@pytest.mark.parametrize("stop_after", [2, 9, 13])
def test_a_run_of_stages_stopped_anywhere_ends_the_same(
    images: pd.DataFrame, tmp_path: Path, average: str, stop_after: int
) -> None:
    made = recipe(
        f"train.stages={TWO}", f"train.average={average}", "train.mixup=0.2",
        "train.oversample=balanced", "train.loss=focal", "train.class_weights=balanced"
    )  # fmt: skip
    whole = trained(made, images, tmp_path / "whole")
    steps: list[int] = []
    watch = Callbacks(
        on_step=lambda step: steps.append(step.number), should_stop=lambda: len(steps) == stop_after
    )
    place = Place(RunFolder(tmp_path / "parts"), tmp_path / "cache", "cpu")
    with refuses("training-stopped"):
        train_run(made, Manifest(images), place, watch)
    train_run(made, Manifest(images), place, Callbacks(), resume=True)
    parts = load_file(tmp_path / "parts" / "model.safetensors")
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize(
    "setting",
    [
        "train.loss=focal",
        "train.class_weights={covid=9.0}",
        "train.oversample={covid=3}",
        "train.mixup=0.4",
        "train.label_smoothing=0.2",
        "train.average=ema",
        "train.optimiser=sgd",
        "train.optimiser=amsgrad",
        "train.schedule=cosine",
        "train.lr_divisors=[10,5,5,2,1]",
        "train.trains=gradual",
        "train.trains=2",
        "augment.flip=0.5",
    ],
)
def test_every_strategy_changes_the_outcome(
    images: pd.DataFrame, tmp_path: Path, setting: str, plain: dict[str, Tensor]
) -> None:
    changed = trained(recipe("train.epochs=3", setting), images, tmp_path / "run")
    assert not all(torch.equal(changed[name], plain[name]) for name in plain)


@pytest.fixture(scope="module")
def plain(_images: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Tensor]:
    """The weights of a run without any strategy."""
    return trained(recipe("train.epochs=3"), _images, tmp_path_factory.mktemp("plain") / "run")


def test_a_compiled_network_is_the_same_network(images: pd.DataFrame, tmp_path: Path) -> None:
    """The backend that compiles nothing shows that names and results stay those of the network."""
    made = recipe("train.epochs=1", "train.compile=true")
    with torch.compiler.set_stance("force_eager"):
        after = trained(made, images, tmp_path / "run")
    assert after.keys() == initial(made).keys()


def test_rates_that_do_not_fit_leave_no_run_behind(images: pd.DataFrame, tmp_path: Path) -> None:
    made = recipe("train.lr_divisors=[2,1]")
    with refuses("layer-groups-differ", "2", "5"):
        trained(made, images, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_patience_counts_within_a_stage(images: pd.DataFrame, tmp_path: Path) -> None:
    stages = '[{epochs=9,patience=1,lr=10.0,schedule="constant"},{epochs=2,lr=1e-4}]'
    made = recipe("train.optimiser=sgd", "train.optimiser.momentum=0.0", f"train.stages={stages}")
    card = train_run(
        made,
        Manifest(images),
        Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu"),
        Callbacks(),
    )
    counts = [sum(e.stage == n for e in card.training.history) for n in (1, 2)]
    assert counts[0] < 9
    assert counts[1] == 2
