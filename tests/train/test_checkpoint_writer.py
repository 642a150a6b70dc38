"""When checkpoints are written."""

from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from pulmo.core import files
from pulmo.core.folders import RunFolder
from pulmo.core.recipe import load_recipe
from pulmo.datasets.manifest import Manifest
from pulmo.models.classifier import make_classifier
from pulmo.train import checkpoint as module
from pulmo.train.callbacks import Callbacks
from pulmo.train.checkpoint import CheckpointWriter, Progress, read_progress
from pulmo.train.engine import Engine, begin_stage
from pulmo.train.run import Place, train_run
from pulmo.train.training_data import gather


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def engine(images: pd.DataFrame, tmp_path: Path) -> Engine:
    recipe = load_recipe("demo", ["image.size=32", "train.precision=fp32"])
    data = gather(recipe, Manifest(images), tmp_path / "cache")
    classifier = make_classifier(recipe.model, recipe.labels.order, 0, size=32).classifier
    return begin_stage(recipe, recipe.train.plan[0], data, classifier)


def progress(epoch: int) -> Progress:
    return Progress(recipe_sha256="", manifest_sha256="", weights="none", epoch=epoch)


def shift(engine: Engine) -> float:
    """Changes the network, and returns a number that tells the change."""
    weight = next(engine.classifier.parameters()).data
    weight.add_(1)
    return float(weight.flatten()[0])


def kept(path: Path, engine: Engine, prefix: str = "") -> float:
    name, _ = next(engine.classifier.named_parameters())
    return float(load_file(path)[prefix + name].flatten()[0])


def test_short_epochs_share_a_checkpoint(engine: Engine, tmp_path: Path, clock: Clock) -> None:
    folder, numbers = RunFolder(tmp_path), []
    writer = CheckpointWriter(folder)
    writer.note_epoch(engine.learner, progress(1), improved=True)
    assert read_progress(folder.last_checkpoint, Progress).epoch == 1
    for epoch, improved in ((2, True), (3, False)):
        clock.now += 3
        numbers.append(shift(engine))
        writer.note_epoch(engine.learner, progress(epoch), improved=improved)
    assert read_progress(folder.last_checkpoint, Progress).epoch == 1
    assert kept(folder.best_checkpoint, engine) == pytest.approx(numbers[0] - 1, abs=1e-5)
    clock.now += 4
    numbers.append(shift(engine))
    writer.note_epoch(engine.learner, progress(4), improved=False)
    assert read_progress(folder.last_checkpoint, Progress).epoch == 4
    # The best of the epochs that were not written, and the last.
    assert kept(folder.best_checkpoint, engine) == pytest.approx(numbers[0])
    assert kept(folder.last_checkpoint, engine, "model.") == pytest.approx(numbers[2])


def test_the_end_of_a_stage_writes_what_is_behind_and_only_that(
    engine: Engine, tmp_path: Path, clock: Clock
) -> None:
    folder = RunFolder(tmp_path)
    writer = CheckpointWriter(folder)
    writer.finish_stage(engine.learner, progress(0))
    assert not folder.last_checkpoint.exists()
    writer.note_epoch(engine.learner, progress(1), improved=True)
    clock.now += 1
    writer.note_epoch(engine.learner, progress(2), improved=False)
    writer.finish_stage(engine.learner, progress(2))
    assert read_progress(folder.last_checkpoint, Progress).epoch == 2
    folder.last_checkpoint.unlink()
    writer.finish_stage(engine.learner, progress(2))
    assert not folder.last_checkpoint.exists()


def test_a_process_that_does_not_write_leaves_no_file(engine: Engine, tmp_path: Path) -> None:
    writer = CheckpointWriter(RunFolder(tmp_path), writes=False)
    writer.note_epoch(engine.learner, progress(1), improved=True)
    writer.finish_stage(engine.learner, progress(1))
    assert list(tmp_path.glob("checkpoints")) == []


def test_a_run_of_short_epochs_writes_few_checkpoints(
    images: pd.DataFrame, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clock.now
    written: list[str] = []
    made = files.write_atomically

    def kept(path: Path, data: bytes) -> None:
        written.append(path.stem)
        made(path, data)

    monkeypatch.setattr(module, "write_atomically", kept)
    recipe = load_recipe("demo", ["image.size=32", "train.batch=8", "train.trains=head",
                                  "train.views=1", "train.epochs=6"])  # fmt: skip
    card = train_run(
        recipe,
        Manifest(images),
        Place(RunFolder(tmp_path / "run"), tmp_path / "cache", "cpu"),
        Callbacks(),
    )
    assert len(card.training.history) == 6
    # After the first epoch, and at the end.
    assert written[:2] == ["best", "last"]
    assert written[-1] == "last"
    assert written.count("last") == 2
