"""A run that is killed at any step ends, resumed, in the same bits."""

import os
import signal
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train import checkpoint, loop
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run

RUNS, KILLS = 10, 5
STAGES = '[{epochs=2,trains="head",views=2},{epochs=2,trains="gradual"}]'
RECIPE = load_recipe(
    "demo",
    ["image.size=28", "train.batch=4", "train.precision=fp32", "train.average=ema",
     "train.mixup=0.2", "model.head.dropout=0.2", f"train.stages={STAGES}"],
)  # fmt: skip


def files(folder: RunFolder) -> tuple[bytes, list[str]]:
    """The weights, and the history without what a clock says."""
    lines = folder.history.read_text().splitlines()
    return folder.model.read_bytes(), [line.partition(',"seconds"')[0] for line in lines]


def killed(images: pd.DataFrame, place: Place, step: int, *, resume: bool) -> None:
    """Runs in a child process that kills itself at a step, counted from the start of the child."""
    child = os.fork()
    if not child:  # pragma: no cover - in the child, which no one measures
        sys.settrace(None)  # coverage would follow each step for nothing
        steps = iter(range(10**6))

        def kill(*_: object) -> None:
            if next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        watch = Callbacks(on_step=kill, on_features=kill)
        try:
            train_run(RECIPE, Manifest(images), place, watch, resume=resume)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_run_killed_at_fifty_random_steps_ends_in_the_same_bits(
    images: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.set_num_threads(1)
    few = images.groupby(["split", "label"]).head(5)
    cache, counted = tmp_path / "cache", list[object]()
    whole = RunFolder(tmp_path / "whole")
    count = Callbacks(on_step=counted.append, on_features=lambda *_: None)
    train_run(RECIPE, Manifest(few), Place(whole, cache, "cpu"), count)
    # A checkpoint after each second step, so that kills fall between checkpoints and on them.
    monkeypatch.setattr(loop, "_CHECKPOINT_SECONDS", 0.005)
    monkeypatch.setattr(checkpoint, "_SECONDS_APART", 0.005)
    generator = np.random.default_rng(0)
    for number in range(RUNS):
        place = Place(RunFolder(tmp_path / f"run{number}"), cache, "cpu")
        for step in generator.integers(len(counted) // KILLS, size=KILLS):
            killed(few, place, int(step), resume=place.folder.recipe.exists())
        train_run(RECIPE, Manifest(few), place, Callbacks(), resume=True)
        assert files(place.folder) == files(whole), number
