import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from sklearn.metrics import balanced_accuracy_score

from fixtures.refuses import refuses
from pulmo.bundle.card import Card, read_card
from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import sha256
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import Recipe, load_recipe, parse_recipe
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.train.callbacks import Callbacks
from pulmo.train.device import choose_device
from pulmo.train.run import Place, train_run


def place(tmp_path: Path, name: str = "run") -> Place:
    return Place(RunFolder(tmp_path / name), tmp_path / "cache", "cpu")


def timeless(folder: RunFolder) -> list[dict[str, float]]:
    """The history without what a clock says."""
    rows = [json.loads(line) for line in folder.history.read_text().splitlines()]
    return [{k: v for k, v in row.items() if "second" not in k} for row in rows]


def test_a_run_leaves_what_the_design_says(
    run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe
) -> None:
    card = read_card(run.card)
    assert read_manifest(run.manifest).frame.equals(images)
    assert load_recipe(str(run.recipe)) == quick_recipe
    (sitting,) = json.loads(run.environment.read_text())
    assert sitting["precision"] in {"fp32", "bf16"}
    assert [row["epoch"] for row in timeless(run)] == [1, 2]
    assert card.files == {"model.safetensors": sha256(run.model.read_bytes())}
    assert card.training.manifest_sha256 == Manifest(images).sha256
    assert card.training.recipe_sha256 == quick_recipe.sha256
    assert parse_recipe(tomllib.loads(card.training.recipe_toml), "it") == quick_recipe
    assert sum(card.training.counts["train"].values()) == (images["split"] == "train").sum()
    assert card.training.sources["covid"] == {"phantom": card.training.counts["train"]["covid"]}
    assert card.activation.scale > 0
    assert card.temperature > 0
    best = min(card.training.history, key=lambda epoch: epoch.val_loss)
    assert card.training.best_epoch == best.epoch


def test_the_history_is_what_the_bundle_gives(bundle: Path, images: pd.DataFrame) -> None:
    predictor = Predictor.open(bundle, threads=1)
    table = predict_manifest(predictor, Manifest(images[images["split"] == "val"])).frame
    training = predictor.card.training
    expected = training.history[training.best_epoch - 1].val_balanced_accuracy
    assert balanced_accuracy_score(table["label"], table["decision"]) == pytest.approx(expected)
    positive = table["label"].isin(predictor.card.decision.positive)
    assert table["positive"][positive].mean() >= predictor.card.decision.aim


def test_two_runs_are_equal_and_another_seed_is_not(
    run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
) -> None:
    before = torch.random.get_rng_state()
    train_run(quick_recipe, Manifest(images), place(tmp_path), Callbacks())
    assert torch.equal(before, torch.random.get_rng_state())
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == run.model.read_bytes()
    assert timeless(RunFolder(tmp_path / "run")) == timeless(run)
    section = quick_recipe.train.model_copy(update={"seed": 1, "epochs": 1})
    other = quick_recipe.model_copy(update={"train": section})
    train_run(other, Manifest(images), place(tmp_path, "other"), Callbacks())
    assert timeless(RunFolder(tmp_path / "other"))[0] != timeless(run)[0]


@pytest.mark.parametrize("stop_after", [1, 3, 5])
def test_a_run_stopped_anywhere_ends_bit_by_bit_the_same(
    run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path, stop_after: int
) -> None:
    steps: list[int] = []
    watch = Callbacks(
        on_step=lambda step: steps.append(step.number), should_stop=lambda: len(steps) == stop_after
    )
    with refuses("training-stopped"):
        train_run(quick_recipe, Manifest(images), place(tmp_path), watch)
    assert not (tmp_path / "run" / "card.json").exists()
    train_run(quick_recipe, Manifest(images), place(tmp_path), Callbacks(), resume=True)
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == run.model.read_bytes()
    assert timeless(RunFolder(tmp_path / "run")) == timeless(run)
    assert len(json.loads((tmp_path / "run" / "env.json").read_text())) == 2


def test_a_lost_line_of_the_history_comes_back(
    run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
) -> None:
    copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
    copy.card.unlink()
    copy.history.write_text("")
    train_run(
        quick_recipe,
        Manifest(images),
        Place(copy, tmp_path / "cache", "cpu"),
        Callbacks(),
        resume=True,
    )
    assert timeless(copy) == timeless(run)


def test_no_batch_is_a_single_image(images: pd.DataFrame, tmp_path: Path) -> None:
    train = images[images["split"] == "train"].head(5)
    val = images[images["split"] == "val"].head(2)
    labels = [*["covid", "normal"] * 2, "covid", "covid", "normal"]
    odd = pd.concat([train, val]).assign(label=labels)
    settings = ["image.size=32", "train.batch=2", "train.epochs=1"]
    recipe = load_recipe("demo", [*settings, "labels.order=['covid','normal']"])
    card = train_run(recipe, Manifest(odd), place(tmp_path), Callbacks())
    assert sum(card.training.counts["train"].values()) == 5


def test_dropout_is_drawn_anew_each_step_and_the_same_after_a_resume(
    images: pd.DataFrame, tmp_path: Path
) -> None:
    settings = ["image.size=64", "train.epochs=1", "train.batch=8", "train.precision=fp32",
                "model.head={name=mlp,dropout=0.5}"]  # fmt: skip
    recipe = load_recipe("demo", settings)
    train_run(recipe, Manifest(images), place(tmp_path, "whole"), Callbacks())
    stop = iter([False, True])
    watch = Callbacks(should_stop=lambda: next(stop))
    with refuses("training-stopped"):
        train_run(recipe, Manifest(images), place(tmp_path, "parts"), watch)
    train_run(recipe, Manifest(images), place(tmp_path, "parts"), Callbacks(), resume=True)
    whole, parts = (load_file(tmp_path / n / "model.safetensors") for n in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


def test_training_learns_to_tell_bright_from_dark(images: pd.DataFrame, tmp_path: Path) -> None:
    """The label follows each image's mean grey, which a network must find in a few epochs."""
    from PIL import Image  # noqa: PLC0415 - used here only

    generator = np.random.default_rng(0)
    rows = images.copy()
    for number, row in rows.iterrows():
        level = 90 if row["label"] == "covid" else 150
        pixels = generator.normal(level, 20, (64, 64)).clip(0, 255).astype(np.uint8)
        path = tmp_path / f"{number}.png"
        Image.fromarray(pixels).save(path)
        rows.loc[number, ["path", "sha256"]] = [str(path), sha256(path.read_bytes())]
    merge = "{viral='other', bacterial='other', normal='other'}"
    settings = ["labels.order=['covid','other']", f"labels.merge={merge}", "image.size=32",
                "train.epochs=5", "train.batch=8", "augment={}",
                "train.class_weights=balanced"]  # fmt: skip
    recipe = load_recipe("demo", settings)
    card = train_run(recipe, Manifest(rows), place(tmp_path), Callbacks())
    assert card.training.history[-1].val_balanced_accuracy == 1.0
    assert card.decision.sensitivity.value == 1.0


def test_patience_ends_a_run_early(images: pd.DataFrame, tmp_path: Path) -> None:
    recipe = load_recipe(
        "demo",
        ["image.size=32", "train.epochs=30", "train.patience=1", "train.lr=0.05",
         "train.schedule=constant"],
    )  # fmt: skip
    heard: list[int] = []
    card = train_run(
        recipe,
        Manifest(images),
        place(tmp_path),
        Callbacks(on_epoch=lambda epoch: heard.append(epoch.epoch)),
    )
    history = card.training.history
    assert len(history) < 30
    assert len(history) == card.training.best_epoch + 1
    assert heard == [epoch.epoch for epoch in history]


def test_a_loss_that_is_no_number_is_a_sentence(images: pd.DataFrame, tmp_path: Path) -> None:
    recipe = load_recipe(
        "demo", ["image.size=32", "train.lr=1e30", "train.schedule=constant", "train.optimiser=sgd"]
    )
    with refuses("training-diverged"):
        train_run(recipe, Manifest(images), place(tmp_path), Callbacks())


class TestRefusals:
    """What a run refuses before it trains."""

    def test_a_leak(self, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path) -> None:
        images["group"] = "everyone"
        with refuses("split-leaks"):
            train_run(quick_recipe, Manifest(images), place(tmp_path), Callbacks())

    def test_a_class_without_images(
        self, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
    ) -> None:
        images.loc[(images["label"] == "viral") & (images["split"] == "val"), "split"] = None
        with refuses("training-images-missing", "val", "viral"):
            train_run(quick_recipe, Manifest(images), place(tmp_path), Callbacks())
        unsplit = images.assign(split=None)
        with refuses("training-images-missing", "train", "covid, bacterial"):
            train_run(quick_recipe, Manifest(unsplit), place(tmp_path, "b"), Callbacks())

    def test_views_that_no_image_has(self, images: pd.DataFrame, tmp_path: Path) -> None:
        recipe = load_recipe("demo", ["data.views=['lateral']", "data.sources=['phantom']"])
        with refuses("training-images-missing", "train"):
            train_run(recipe, Manifest(images), place(tmp_path), Callbacks())

    def test_a_folder_in_use(
        self, run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
    ) -> None:
        with refuses("run-exists"):
            train_run(quick_recipe, Manifest(images), Place(run, tmp_path, "cpu"), Callbacks())
        (tmp_path / "full").mkdir()
        (tmp_path / "full" / "thesis.txt").touch()
        with refuses("folder-not-empty"):
            train_run(quick_recipe, Manifest(images), place(tmp_path, "full"), Callbacks())
        with refuses("folder-is-file"):
            train_run(
                quick_recipe, Manifest(images), place(tmp_path / "full", "thesis.txt"), Callbacks()
            )

    def test_another_recipe_or_other_images_on_resume(
        self, run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
    ) -> None:
        copy = RunFolder(Path(shutil.copytree(run.root, tmp_path / "run")))
        copy.card.unlink()
        where = Place(copy, tmp_path / "cache", "cpu")
        other = load_recipe("demo", ["train.seed=5"])
        with refuses("run-settings-changed"):
            train_run(other, Manifest(images), where, Callbacks(), resume=True)
        fewer = images.iloc[:-1]
        with refuses("run-data-changed"):
            train_run(quick_recipe, Manifest(fewer), where, Callbacks(), resume=True)

    def test_a_finished_run_is_left_as_it_is(
        self, run: RunFolder, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
    ) -> None:
        before = run.card.read_bytes()
        card = train_run(
            quick_recipe, Manifest(images), Place(run, tmp_path), Callbacks(), resume=True
        )
        assert isinstance(card, Card)
        assert run.card.read_bytes() == before

    def test_a_resume_of_nothing(
        self, images: pd.DataFrame, quick_recipe: Recipe, tmp_path: Path
    ) -> None:
        with refuses("resume-without-run"):
            train_run(quick_recipe, Manifest(images), place(tmp_path), Callbacks(), resume=True)

    def test_a_device_that_is_not_there(self) -> None:
        assert choose_device("auto").type in {"cpu", "cuda"}
        with refuses("device-unknown", "'tpu'"):
            choose_device("tpu")


def test_the_layers_hold() -> None:
    """The command of `make check`, so that a test run alone finds a crossed layer."""
    linter = Path(sys.executable).with_name("lint-imports")
    subprocess.run([linter], check=True, capture_output=True)
