"""Training from Python; tests/cli/test_train.py does the same through the command."""

from pathlib import Path

import pandas as pd
import pytest

from pulmo.bundle.card import read_card
from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.manifest import Manifest
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.options.training import TrainOptions
from pulmo.workflows.train import train


def test_a_run_is_trained_exported_and_resumed_without_its_settings(
    images: pd.DataFrame, tiny: Recipe, tmp_path: Path
) -> None:
    output, epochs = tmp_path / "run", list[int]()
    run = train(
        tiny,
        Manifest(images),
        str(output),
        TrainOptions(settings=("train.epochs=1",), device="cpu"),
        Callbacks(on_epoch=lambda epoch: epochs.append(epoch.epoch)),
    )
    assert epochs == [1]
    assert run.card == read_card(run.folder.card)
    assert (run.best.epoch, run.finished_before) == (1, False)
    assert run.folder.curves.exists()
    bundle = run.export()
    assert bundle == tmp_path / "run-bundle"
    assert read_card(BundleFolder(bundle).card).name == tiny.name
    again = train(None, None, output, TrainOptions(resume=True))
    assert (again.card, again.finished_before) == (run.card, True)
    with pytest.raises(RefusedError, match=r"train\.epochs is 1 there and 2 now"):
        train(None, None, output, TrainOptions(settings=["train.epochs=2"], resume=True))


def test_what_is_missing_is_named_and_leaves_no_folder(
    images: pd.DataFrame, tiny: Recipe, tmp_path: Path
) -> None:
    output = tmp_path / "new" / "run"
    for recipe, data, options in (
        (None, Manifest(images), TrainOptions()),
        ("demo", None, TrainOptions()),
        (tiny, Manifest(images), TrainOptions(quick=True)),
        (tiny, Manifest(images), TrainOptions(device="abacus")),  # type: ignore[arg-type]
        (None, None, TrainOptions(resume=True)),
    ):
        with pytest.raises(UsageError):
            train(recipe, data, output, options)
        assert not output.parent.exists()
    assert not RunFolder(output).recipe.exists()
