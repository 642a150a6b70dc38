"""Two processes of torchrun train what one process trains."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from fixtures.refuses import refuses
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import make_classifier
from pulmo.train.callbacks import Callbacks
from pulmo.train.engine import begin_stage
from pulmo.train.run import Place, train_run
from pulmo.train.sync_batch_norm import SyncBatchNorm, _Sum
from pulmo.train.team import ALONE, Team
from pulmo.train.training_data import TrainingData

SETTINGS = ["image.size=32", "train.batch=8", "train.epochs=2", "train.precision=fp32",
            "train.lr=0.001", "train.optimiser=sgd", "train.class_weights={covid=3.0}",
            "train.mixup=0.3", "train.average=ema",
            'train.stages=[{epochs=2,trains="head",views=2},{epochs=1,trains="gradual"}]',
]  # fmt: skip


def torchrun(recipe: Path, data: Path, run: Path) -> None:
    """Trains by two processes of torchrun, which speak with one voice."""
    words = ["--no-python", "--standalone", "--nproc-per-node=2",
             str(Path(sys.executable).with_name("pulmo")), "train", str(recipe),
             "--data", str(data), "-o", str(run)]  # fmt: skip
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PULMO_CACHE": str(run.parent / "cache")}
    result = subprocess.run(
        [sys.executable, "-m", "torch.distributed.run", *words],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("best epoch") == 1
    assert len(json.loads((run / "env.json").read_text())) == 1


def test_two_processes_train_what_one_trains(images: pd.DataFrame, tmp_path: Path) -> None:
    recipe, data, manifest = load_recipe("demo", SETTINGS), tmp_path / "m.parquet", Manifest(images)
    folders = [RunFolder(tmp_path / f"run{processes}") for processes in (1, 2)]
    train_run(recipe, manifest, Place(folders[0], tmp_path / "cache", "cpu"), Callbacks())
    manifest.save(data)
    (tmp_path / "recipe.toml").write_text(recipe.to_toml())
    torchrun(tmp_path / "recipe.toml", data, folders[1].root)
    one, two = (load_file(folder.model) for folder in folders)
    assert one.keys() == two.keys()
    for name in one:
        torch.testing.assert_close(two[name], one[name], atol=2e-5, rtol=2e-4)
    histories = [
        [json.loads(row) for row in folder.history.read_text().splitlines()] for folder in folders
    ]
    for first, second in zip(*histories, strict=True):
        assert first["train_loss"] == pytest.approx(second["train_loss"], rel=1e-4)
        assert first["train_accuracy"] == pytest.approx(second["train_accuracy"])
        assert first["val_loss"] == pytest.approx(second["val_loss"], rel=1e-4)


def test_a_process_of_its_own_is_a_team_of_one() -> None:
    assert ALONE.part(3).tolist() == [0, 1, 2]
    assert Team(1, 2).part(5).tolist() == [1, 3]
    part = np.ones((2, 3), np.float32)
    assert ALONE.gather(part, 2) is part
    network = nn.Linear(1, 1)
    assert ALONE.spread(network) is network


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), nn.BatchNorm1d(3)], ids=["2d", "1d"])
def test_the_normalisation_of_one_process_is_torchs(
    layer: nn.BatchNorm2d, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda _: None)
    shape = (4, 3, 5, 6) if isinstance(layer, nn.BatchNorm2d) else (8, 3)
    inputs = torch.randn(shape, generator=torch.Generator().manual_seed(0), requires_grad=True)
    results = []
    for synced in (False, True):
        layer.reset_running_stats()
        if synced:
            with SyncBatchNorm():
                outputs = layer(inputs)
        else:
            outputs = layer(inputs)
        (gradient,) = torch.autograd.grad(outputs.square().sum() + outputs.sin().sum(), inputs)
        results.append((outputs, gradient, layer.state_dict()["running_var"].clone()))
    for mine, expected in zip(*results, strict=True):
        torch.testing.assert_close(mine, expected, atol=1e-5, rtol=1e-4)
    layer.eval()
    with SyncBatchNorm():
        assert torch.equal(layer(inputs), layer.eval()(inputs))


def test_a_small_variance_about_a_large_mean_keeps_its_digits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Against float64; the mean of the squares less the squared mean would be all rounding."""
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda _: None)
    layer = nn.BatchNorm2d(2)
    inputs = 1e4 + 0.1 * torch.randn(8, 2, 6, 6, generator=torch.Generator().manual_seed(0))
    with SyncBatchNorm():
        found = layer(inputs)
    exact = inputs.double()
    mean = exact.mean((0, 2, 3), keepdim=True)
    variance = exact.var((0, 2, 3), correction=0, keepdim=True)
    expected = (exact - mean) / (variance + layer.eps).sqrt()
    torch.testing.assert_close(found.double(), expected, atol=1e-3, rtol=1e-3)
    unbiased = exact.var((0, 2, 3))
    running = layer.get_buffer("running_var").double()
    torch.testing.assert_close(running, 0.9 + 0.1 * unbiased, atol=1e-6, rtol=0)


def test_gradients_pass_the_sum_over_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.distributed, "all_reduce", lambda values: values.mul_(2))
    values = torch.ones(3, requires_grad=True)
    total = _Sum.apply(values)
    assert total.tolist() == [2, 2, 2]
    (gradient,) = torch.autograd.grad(total.sum(), values)
    assert gradient.tolist() == [2, 2, 2]


def test_a_batch_smaller_than_the_team_is_refused() -> None:
    recipe = load_recipe("demo", ["train.batch=2"])
    classifier = make_classifier(recipe.model, recipe.labels.order, 0, size=32).classifier
    nothing = np.zeros(0, np.intp)
    material = TrainingData(Manifest.empty(), None, nothing, nothing, nothing)  # type: ignore[arg-type] # not looked at
    with refuses("batch-too-small", "2", "3"):
        begin_stage(recipe, recipe.train, material, classifier, Team(0, 3))
