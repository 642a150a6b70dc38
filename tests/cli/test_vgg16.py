"""The Keras script's flags, on drawn images and a network small enough for a test."""

import json
import re
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors.torch import save_file

from pulmo.bundle.card import read_card
from pulmo.cli import vgg16
from pulmo.core import recipe_file as recipe_module
from pulmo.core.errors import DivergedError, InterruptedRunError, WeightsError
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.evaluate import warnings
from pulmo.evaluate.test_access import read_accesses
from pulmo.models.backbone import make_backbone
from pulmo.train import run as run_module
from pulmo.workflows.options.training import Vgg16Options
from pulmo.workflows.vgg16 import recipe_of

Call = Callable[..., tuple[int, str, str]]

PUBLISHED = {
    "-d": "--dataset",
    "-p": "--plot",
    "-m": "--model",
    "-lr": "--learning",
    "-e": "--epoch",
    "-bs": "--batchsize",
}


@pytest.fixture
def command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Call:
    """Calls pulmo-vgg16 in an empty folder; gives its exit status, stdout and stderr."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    shipped = recipe_module.shipped_recipes()["vgg16-cli"].read_text()
    small = shipped.replace('backbone = "vgg16"', 'backbone = "mini-vggnet"')
    (tmp_path / "small.toml").write_text(small.replace("size = 224", "size = 32"))
    monkeypatch.setattr(
        recipe_module, "shipped_recipes", lambda: {"vgg16-cli": tmp_path / "small.toml"}
    )

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["pulmo-vgg16", *map(str, words)])
        before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
        capsys.readouterr()
        try:
            with pytest.raises(SystemExit) as stopped:
                vgg16.main()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        return int(stopped.value.code or 0), *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def drawn(_images: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of class folders."""
    root = tmp_path_factory.mktemp("dataset")
    for label in ("covid", "normal"):
        (root / label).mkdir()
        for path in _images["path"][_images["label"] == label]:
            shutil.copy(path, root / label)
    return root


@pytest.fixture
def dataset(drawn: Path, tmp_path: Path) -> Path:
    """The same, for a test to change."""
    return Path(shutil.copytree(drawn, tmp_path / "dataset"))


def test_the_flags_and_their_defaults_are_the_script_s(command: Call) -> None:
    status, out, err = command("--help")
    assert (status, err) == (0, "")
    assert out.startswith("Usage: pulmo-vgg16 [OPTIONS]\n")
    for short, long in PUBLISHED.items():
        assert re.search(rf"  {short}, {long} <", out), long
    text = " ".join(out.split())
    for default in ("plot.png", "covid19.model", "0.001", "25; x>=1", "8; x>=2"):
        assert f"[default: {default}]" in text


def test_a_run_prints_and_writes_what_the_script_promised(command: Call, drawn: Path) -> None:
    status, out, err = command("-d", drawn, "-e", 2, "-lr", 0.01, "-bs", 4, "--from-scratch")
    assert status == 0, err
    assert "epoch 2: train loss" in err
    assert "precision    recall  f1-score   support" in out
    assert re.search(r"macro avg +[\dn]", out)
    interval = r"[01]\.\d{3} \([01]\.\d{3}-[01]\.\d{3}\), n = (\d+)"
    found = {
        name: re.search(rf"^{name} +{interval}$", out, re.MULTILINE)
        for name in ("accuracy", "sensitivity", "specificity")
    }
    numbers = [int(match[1]) for match in found.values() if match]
    assert numbers[0] == numbers[1] + numbers[2]
    matrix = [re.search(rf"^{label} +(\d+) +(\d+)$", out, re.MULTILINE) for label in
              ("covid", "normal")]  # fmt: skip
    counts = [[int(row[1]), int(row[2])] for row in matrix if row]
    assert [sum(row) for row in counts] == numbers[1:]
    accuracy = re.search(r"^accuracy +([\d.]+) \(", out, re.MULTILINE)
    assert accuracy
    assert float(accuracy[1]) == pytest.approx(np.trace(counts) / numbers[0], abs=5e-4)
    assert f"warning: Only {numbers[0]} images: too few" in out
    said = "VGG16 started from random weights; so all layers learn, at a rate of 0.001."
    assert said in out
    with Image.open("plot.png") as plot:
        assert plot.format == "PNG"
        assert plot.width > 1000
    card = read_card(Path("covid19.model/card.json"))
    assert (card.labels.order, card.decision.positive) == (("covid", "normal"), ("covid",))
    history = card.training.history
    assert len(history) == 2
    assert all(epoch.train_accuracy is not None for epoch in history)
    (access,) = read_accesses(Path("covid19.model/test-access.jsonl"))
    assert access.images == numbers[0]
    assert sorted(path.name for path in Path().iterdir()) == ["covid19.model", "plot.png"]


def test_the_decay_is_the_rate_over_the_epochs() -> None:
    def recipe(**flags: Any) -> Recipe:  # noqa: ANN401 - the fields of the options
        return recipe_of(Vgg16Options(Path("plot"), Path("model"), **flags))

    slow = recipe(learning=0.01, epochs=50, batch=4)
    assert slow.train.schedule.table() == {"decay": pytest.approx(0.0002)}
    assert (slow.train.lr, slow.train.epochs, slow.train.batch) == (0.01, 50, 4)
    assert slow.train.schedule.name == "inverse-time"
    assert recipe() == load_recipe("vgg16-cli")
    scratch = recipe(from_scratch=True)
    assert scratch == load_recipe("vgg16-cli", scratch=True)
    assert scratch.train.trains == "all"
    assert recipe(learning=1e-5, weights=Path('a "b".st')).model.weights == 'a "b".st'


def test_a_model_is_kept_and_a_plot_replaced(command: Call, drawn: Path) -> None:
    Path("covid19.model").mkdir()
    status, out, err = command("-d", drawn)
    assert (status, out) == (3, "")
    assert err.startswith("pulmo-vgg16: covid19.model exists already. A model is never overwritten")
    Image.new("L", (1, 1)).save("plot.png")
    weights = "gone.safetensors"
    status, out, err = command("-d", drawn, "-m", "new/m", "--weights", weights)
    assert (status, out) == (3, "")
    assert "gone.safetensors, does not exist" in err
    assert [path.name for path in Path("new").iterdir()] == []


def test_what_is_no_plot_is_not_replaced(command: Call, drawn: Path) -> None:
    Path("thesis.txt").write_text("text")
    status, _, err = command("-d", drawn, "-p", "thesis.txt")
    assert (status, "is not overwritten" in err) == (3, True)
    status, _, err = command("-d", drawn, "-p", "m/plot.png", "-m", "m")
    assert (status, "cannot be in the same place" in err) == (3, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "--dataset"),
        (("-d", "x", "-lr", "fast"), "-lr"),
        (("-d", "x", "-lr", "-1"), "train.lr"),
        (("-d", "x", "-lr", "nan"), "train.lr"),
        (("-d", "x", "-e", "0"), "-e"),
        (("-d", "x", "-bs", "1"), "-bs"),
        (("-d", "x", "--gpu"), "--gpu"),
        (("-d", "x", "-l", "1"), "-l"),
    ],
)
def test_a_wrong_flag_is_a_usage_error(command: Call, words: tuple[str, ...], said: str) -> None:
    status, out, err = command(*words)
    assert (status, out) == (2, "")
    assert said in err


def test_a_data_set_that_cannot_be_used_is_a_sentence(command: Call, dataset: Path) -> None:
    status, out, err = command("-d", dataset / "none")
    assert (status, out) == (3, "")
    assert "none is not a folder; one with the folders covid and normal" in err
    (dataset / "other").mkdir()
    assert (
        "contains covid, normal, other; the folders covid and normal" in command("-d", dataset)[2]
    )
    (dataset / "other").rmdir()
    shutil.rmtree(dataset / "normal")
    status, _, err = command("-d", dataset, "--from-scratch")
    assert (status, "contains covid; the folders covid and normal were expected" in err) == (
        3,
        True,
    )
    (dataset / "normal").mkdir()
    status, _, err = command("-d", dataset, "--from-scratch")
    assert (status, "too few images of normal" in err) == (3, True)
    assert not Path("covid19.model").exists()


def test_damaged_files_are_named_and_the_rest_is_used(command: Call, dataset: Path) -> None:
    (dataset / "covid").rename(dataset / "COVID")
    (dataset / "COVID" / "torn.png").write_bytes(b"\x89PNG")
    status, out, err = command("-d", dataset, "-e", 1, "--from-scratch")
    assert status == 4
    assert "torn.png: " in err
    assert err.splitlines()[-1] == "pulmo-vgg16: 1 files could not be used; the rest was."
    assert "specificity" in out


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (
            InterruptedRunError("training-stopped", "Training stopped."),
            130,
            "Interrupted; nothing was written.",
        ),
        (DivergedError("training-diverged", "The loss is not a finite number."), 3, "with -lr."),
    ],
)
def test_a_run_that_does_not_end_says_so_in_this_command_s_words(
    command: Call,
    drawn: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    status: int,
    said: str,
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(run_module, "train_run", fails)
    found, out, err = command("-d", drawn, "--from-scratch")
    assert (found, out) == (status, "")
    assert said in err
    assert "--" not in err.splitlines()[-1]
    assert list(Path().iterdir()) == []


def test_initial_weights_come_from_a_file_and_many_images_are_not_called_few(
    command: Call, drawn: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(make_backbone("mini-vggnet", size=32).layers.state_dict(), "own.safetensors")
    monkeypatch.setattr(warnings, "MIN_GROUPS", 2)
    status, out, err = command("-d", drawn, "-e", 1, "--weights", "own.safetensors")
    assert status == 0, err
    assert "VGG16 started from own.safetensors." in out
    assert "random weights" not in out
    assert "too few for a conclusion" not in out
    assert (
        json.loads(Path("covid19.model/card.json").read_text())["training"]["recipe"] == "vgg16-cli"
    )


def test_published_weights_are_asked_for_before_anything_is_read(
    command: Call, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (dataset / "covid" / "torn.png").write_bytes(b"\x89PNG")
    # The small network that stands for VGG16 here has none.
    status, out, err = command("-d", dataset)
    assert (status, out) == (2, "")
    assert "weights must be a file or none" in err
    assert "torn" not in err

    def unreachable(_: object) -> None:
        raise WeightsError("weights-unavailable", "There is no network.")

    monkeypatch.setattr("pulmo.models.classifier.check_weights", unreachable)
    status, out, err = command("-d", dataset)
    assert (status, out) == (2, "")
    assert "There is no network." in err
    assert "--weights" in err
    assert "--from-scratch" in err
