"""A search for a recipe's values with Optuna: TPE proposes values, a pruner ends poor trials early.

Only this process touches the database. A trial writes its history into its folder, and a file in
that folder ends it early; so a trial may run on any machine.
"""

import math
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import optuna
from optuna import Study
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import RDBStorage
from optuna.trial import Trial, TrialState

from pulmo.core.files import write_atomically
from pulmo.core.recipe import Recipe
from pulmo.experiments.executor import Executor
from pulmo.experiments.search_plan import SearchPlan
from pulmo.experiments.search_space import with_values
from pulmo.experiments.trials import TrialRun, do_trial, history_of, prune_file, state_of

_STUDY: Final = "pulmo"


class Limits(NamedTuple):
    """When a search ends.

    Attributes:
        trials: how many trials are to be finished, with those of earlier calls.
        deadline: no trial begins after this time of the monotonic clock.
    """

    trials: int
    deadline: float = math.inf


@contextmanager
def opened_study(plan: SearchPlan) -> Iterator[Study]:
    """Gives the study in the folder's database, made if need be."""
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    # Not by its address, in which a folder's name may hold characters with a meaning of their own.
    connect = partial(sqlite3.connect, plan.folder.database)
    storage = RDBStorage("sqlite://", engine_kwargs={"creator": connect})
    try:
        yield optuna.create_study(
            storage=storage,
            study_name=_STUDY,
            pruner=_pruner(plan),
            load_if_exists=True,
        )
    finally:
        storage.remove_session()
        storage.engine.dispose()


def run_search(
    plan: SearchPlan, limits: Limits, executor: Executor, on_done: Callable[[Study, int], None]
) -> None:
    """Trains trials until a limit is reached.

    Trials that were running when an earlier call ended continue from their checkpoints first.
    One after the other, the trials are the same however often the search is cut off.

    Args:
        plan: what to do.
        limits: when to end.
        executor: trains them.
        on_done: called with the study and the number of each trial when it is finished.

    Raises:
        PulmoError: a trial failed, other than by diverging.
    """
    with opened_study(plan) as study:
        waiting = _unfinished(study)
        running: dict[str, tuple[Trial, TrialRun]] = {}

        def review() -> None:
            for trial, run in running.values():
                _review(study, trial, run)

        while True:
            while len(running) < executor.size:
                trial = waiting.pop(0) if waiting else _next(study, plan, limits)
                if trial is None:
                    break
                run = _run_of(plan, trial)
                running[run.recipe.name] = trial, run
                # A trial that continues may have ended an epoch that was not reported.
                _review(study, trial, run)
                executor.submit(run.recipe.name, partial(do_trial, run))
            if not running:
                return
            for name in executor.wait(review):
                trial, run = running.pop(name)
                _review(study, trial, run)
                _finish(study, trial, run)
                on_done(study, trial.number)


def _pruner(plan: SearchPlan) -> BasePruner:
    epochs = _epochs(plan.base.recipe())
    if plan.pruner == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=max(1, epochs // 4))
    if plan.pruner == "hyperband":
        return HyperbandPruner(min_resource=1, max_resource=epochs)
    return NopPruner()


def _epochs(recipe: Recipe) -> int:
    return sum(stage.epochs for stage in recipe.train.plan)


def _unfinished(study: Study) -> list[Trial]:
    """Returns the trials that were running when an earlier call ended."""
    storage = study._storage  # noqa: SLF001 - Optuna gives no other way to continue a trial
    return [
        Trial(study, storage.get_trial_id_from_study_id_trial_number(study._study_id, old.number))  # noqa: SLF001 - likewise
        for old in study.get_trials(states=[TrialState.RUNNING])
    ]


def _next(study: Study, plan: SearchPlan, limits: Limits) -> Trial | None:
    """Returns a new trial, or None when a limit is reached."""
    number = len(study.get_trials(deepcopy=False))
    if number >= limits.trials or time.monotonic() >= limits.deadline:
        return None
    # The seed and the number alone decide, so that a resumed search draws the same values.
    seed = int(np.random.SeedSequence([plan.seed, number]).generate_state(1)[0])
    study.sampler = TPESampler(seed=seed)
    return study.ask()


def _run_of(plan: SearchPlan, trial: Trial) -> TrialRun:
    """Returns the work of a trial, with values that are drawn if they are not yet."""
    values = {key: dimension.suggest(trial, key) for key, dimension in plan.space.items()}
    recipe = with_values(plan.base, values)
    name = f"{recipe.name}-trial-{trial.number}"
    return TrialRun(
        plan.folder.manifest,
        plan.folder.trial(trial.number),
        recipe.model_copy(update={"name": name}),
        plan.device,
    )


def _review(study: Study, trial: Trial, run: TrialRun) -> None:
    """Reports the epochs that a trial finished, and ends it early if the pruner says so."""
    known = len(study.trials[trial.number].intermediate_values)
    last = _epochs(run.recipe)
    for epoch in history_of(run.folder)[known:]:
        trial.report(epoch.val_loss, epoch.epoch)
        if epoch.epoch < last and trial.should_prune():
            write_atomically(prune_file(run.folder), b"")


def _finish(study: Study, trial: Trial, run: TrialRun) -> None:
    """Writes what came of a trial into the database."""
    if state_of(run.folder) == "complete":
        study.tell(trial, min(epoch.val_loss for epoch in history_of(run.folder)))
    else:
        # One that diverged counts as pruned: TPE learns from these, and not from failed ones.
        study.tell(trial, state=TrialState.PRUNED)
