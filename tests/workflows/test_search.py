"""The search itself, on a training that is a formula; tests/cli/test_search.py really trains."""

import math
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fixtures.refuses import refuses
from pulmo.bundle.card import Epoch
from pulmo.core.errors import DivergedError
from pulmo.core.files import write_atomically
from pulmo.core.folders import RunFolder, SearchFolder
from pulmo.core.recipe import Recipe, load_recipe, write_recipe
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.experiments import trials as trials_module
from pulmo.experiments.executor import LocalExecutor, Work
from pulmo.experiments.search_plan import (
    SearchPlan,
    begin_search,
    check_same_search,
    read_search,
)
from pulmo.experiments.search_space import Dimension
from pulmo.experiments.study import Limits, opened_study, run_search
from pulmo.experiments.trials import (
    TrialRow,
    best_of,
    history_of,
    keep_best,
    list_trials,
    state_of,
)
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place

EPOCHS = 4
SPACE = {"train.lr": Dimension(low=1e-4, high=1e-1, log=True)}


class KilledError(Exception):
    """Stands for whatever ends a process."""


class Training:
    """Stands in for `train_run`: the loss is how far the rate is from 0.01, less an epoch's part.

    Attributes:
        begun: the trial of each call, and the epoch that it began with.
    """

    def __init__(self, kill: Callable[[str, int], bool] = lambda *_: False) -> None:
        self.begun: list[tuple[str, int]] = []
        self.kill = kill

    def __call__(
        self,
        recipe: Recipe,
        manifest: object,
        place: Place,
        callbacks: Callbacks,
        *,
        resume: bool,
    ) -> None:
        folder = place.folder
        assert resume == folder.recipe.exists()
        assert manifest is not None
        history = history_of(folder)
        name = folder.root.name
        self.begun.append((name, len(history)))
        write_atomically(folder.recipe, recipe.to_toml().encode())
        write_atomically(folder.last_checkpoint, b"weights")
        write_atomically(folder.manifest, b"images")
        distance = abs(math.log10(recipe.train.lr) + 2)
        for number in range(len(history) + 1, EPOCHS + 1):
            if distance > 1.9:
                raise DivergedError("training-diverged", "The loss is not a finite number.")
            history.append(_epoch(number, 1 + distance - 0.01 * number))
            lines = "".join(f"{epoch.model_dump_json()}\n" for epoch in history)
            write_atomically(folder.history, lines.encode())
            if self.kill(name, number):
                raise KilledError
            callbacks.on_epoch(history[-1])
        write_atomically(folder.model, b"best weights")
        write_atomically(folder.card, b"card")


def _epoch(number: int, loss: float) -> Epoch:
    return Epoch(
        epoch=number,
        lr=1,
        train_loss=1,
        val_loss=loss,
        val_accuracy=1,
        val_balanced_accuracy=1,
        seconds=60,
        images_per_second=1,
    )


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Training:
    made = Training()
    monkeypatch.setattr(trials_module, "train_run", made)
    return made


@pytest.fixture
def plan(tmp_path: Path, images: pd.DataFrame) -> SearchPlan:
    # Names that a database's address would take amiss.
    folder = SearchFolder(tmp_path / "a search #1 100%20?")
    folder.root.mkdir()
    made = SearchPlan(folder, write_recipe("demo", [f"train.epochs={EPOCHS}"]), SPACE)
    begin_search(made, Manifest(images))
    return made


def search(plan: SearchPlan, trials: int, deadline: float = math.inf) -> list[TrialRow]:
    run_search(
        plan,
        Limits(trials, deadline),
        LocalExecutor(),
        lambda study, _: keep_best(study, plan.folder),
    )
    with opened_study(plan) as study:
        return list_trials(study, plan.folder)


def test_it_finds_the_rate_and_keeps_only_the_winners_weights(
    plan: SearchPlan, training: Training
) -> None:
    rows = search(plan, 18)
    best = best_of(rows)
    assert best is not None
    assert _distance(best) < 0.3
    assert len(rows) == len(training.begun) == 18
    assert best.val_loss == pytest.approx(min(row.val_loss or 9 for row in rows))
    assert best.minutes == best.epochs == EPOCHS
    states = [row.state for row in rows]
    assert {"complete", "pruned"} <= set(states)
    for row in rows:
        folder = plan.folder.trial(row.number)
        won = row is best
        assert folder.model.exists() == folder.last_checkpoint.exists() == won
        assert folder.manifest.exists() == won
        assert folder.recipe.exists()
    assert plan.folder.best.read_bytes() == plan.folder.trial(best.number).recipe.read_bytes()
    recipe = load_recipe(str(plan.folder.best))
    assert recipe.train.lr == best.tried["train.lr"]
    assert recipe.name == f"demo-trial-{best.number}"
    table = plan.folder.table.read_text().splitlines()
    assert table[0] == "number,state,val_loss,best_epoch,epochs,minutes,train.lr"
    assert [line.split(",")[1] for line in table[1:]] == states


def test_a_trial_ends_where_it_is_worse_than_the_median_of_those_before(
    plan: SearchPlan, training: Training
) -> None:
    narrow = {"train.lr": Dimension(low=2e-4, high=1e-1, log=True)}
    rows = search(plan._replace(space=narrow), 14)
    assert {row.state for row in rows[5:]} == {"complete", "pruned"}
    for row in rows:
        complete = [_distance(other) for other in rows[: row.number] if other.state == "complete"]
        # All losses fall by the same amount an epoch, so the first epoch decides.
        worse = len(complete) >= 5 and _distance(row) > np.median(complete)
        assert (row.state, row.epochs) == (("pruned", 1) if worse else ("complete", EPOCHS))
    assert len(training.begun) == 14


def _distance(row: TrialRow) -> float:
    return abs(math.log10(float(row.tried["train.lr"])) + 2)


@pytest.mark.parametrize("pruner", ["hyperband", "none"])
def test_other_pruners(plan: SearchPlan, training: Training, pruner: str) -> None:
    rows = search(plan._replace(pruner=pruner), 10)  # type: ignore[arg-type]
    pruned = [row for row in rows if row.state == "pruned"]
    assert bool(pruned) == (pruner == "hyperband")
    assert len(training.begun) == 10


def test_a_killed_search_ends_as_if_it_had_not_been(
    plan: SearchPlan, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Killed between an epoch's end and its report, where the report ends the trial and where not,
    and cut off once between two trials.
    """
    killed: set[tuple[str, int]] = set()

    def kill(name: str, epoch: int) -> bool:
        first = (name, epoch) in {("trial-002", 3), ("trial-007", 1)} - killed
        killed.update({(name, epoch)} if first else set())
        return first

    parts = Training(kill)
    monkeypatch.setattr(trials_module, "train_run", parts)
    for _ in range(2):
        with pytest.raises(KilledError):
            search(plan, 12)
    with opened_study(plan) as study:
        assert list_trials(study, plan.folder)[-1].state == "running"
    search(plan, 9)
    rows = search(plan, 12)
    whole = Training()
    monkeypatch.setattr(trials_module, "train_run", whole)
    other = plan._replace(folder=SearchFolder(tmp_path / "whole"))
    other.folder.root.mkdir()
    begin_search(other, read_manifest(plan.folder.manifest))
    assert search(other, 12) == rows
    assert rows[7].state == "pruned"
    assert [call for call in parts.begun if call[1]] == [("trial-002", 3)]
    assert [call for call in parts.begun if not call[1]] == whole.begun


def test_one_that_diverged_counts_and_is_not_tried_again(
    plan: SearchPlan, training: Training
) -> None:
    wild = plan._replace(space={"train.lr": Dimension(low=5.0, high=9.0)})
    rows = search(wild, 2)
    assert [row.state for row in rows] == ["diverged", "diverged"]
    assert best_of(rows) is None
    assert not plan.folder.best.exists()
    assert rows[0][2:6] == (None, None, 0, 0.0)
    assert search(wild, 2) == rows
    assert len(training.begun) == 2


@pytest.mark.parametrize("state", ["pruned", "diverged.txt"])
def test_one_that_was_over_when_its_search_was_killed_is_not_trained_on(
    plan: SearchPlan, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    first = Training(lambda *_: True)
    monkeypatch.setattr(trials_module, "train_run", first)
    with pytest.raises(KilledError):
        search(plan, 1)
    (plan.folder.trial(0).root / state).touch()
    rows = search(plan, 1)
    assert [row.state for row in rows] == [state.removesuffix(".txt")]
    assert first.begun == [("trial-000", 0)]


def test_no_trial_begins_after_the_deadline(plan: SearchPlan, training: Training) -> None:
    assert search(plan, 3, time.monotonic() - 1) == []
    assert training.begun == []
    assert plan.folder.database.exists()


class Two:
    """Does two trials at once: an epoch's news of both come before either is done."""

    size = 2

    def __init__(self) -> None:
        self.most = 0
        self._running: list[tuple[str, Work]] = []

    def submit(self, name: str, work: Work) -> None:
        self._running.append((name, work))
        self.most = max(self.most, len(self._running))

    def wait(self, on_news: Callable[[], None]) -> list[str]:
        name, work = self._running.pop(0)
        alone = LocalExecutor()
        alone.submit(name, work)
        on_news()
        return alone.wait(on_news)


def test_an_executor_of_two_has_two_trials_at_once_and_no_more_than_are_wanted(
    plan: SearchPlan, training: Training
) -> None:
    executor, done = Two(), []
    run_search(plan, Limits(5), executor, lambda _, number: done.append(number))
    assert executor.most == 2
    assert done == [0, 1, 2, 3, 4]
    assert len(training.begun) == 5


def test_whose_folder_it_is(plan: SearchPlan, tmp_path: Path) -> None:
    table = read_manifest(plan.folder.manifest)
    with refuses("search-exists"):
        begin_search(plan, table)
    check_same_search(plan, table)
    assert read_search(plan.folder) == plan
    with refuses("search-settings-changed", "manifest_sha256, seed"):
        check_same_search(plan._replace(seed=1), Manifest(table.frame[1:]))
    with refuses("folder-not-empty"):
        begin_search(plan._replace(folder=SearchFolder(tmp_path)), table)
    with refuses("resume-without-run"):
        read_search(SearchFolder(tmp_path / "empty"))


def test_the_state_of_a_folder(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert state_of(folder) == "running"
    for name, state in (("pruned", "pruned"), ("diverged.txt", "diverged"), ("card.json", "")):
        (tmp_path / name).touch()
        assert state_of(folder) == (state or "complete")
