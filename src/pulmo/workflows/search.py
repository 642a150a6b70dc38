"""Search: better values of a recipe's keys are searched for on training and validation images."""

import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pulmo.core.errors import UsageError
from pulmo.core.folders import SearchFolder
from pulmo.core.output import claimed_folder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.experiments.executor import refuse_several_processes
from pulmo.experiments.search_plan import (
    SearchPlan,
    begin_search,
    check_same_search,
    read_search,
)
from pulmo.experiments.search_space import read_space
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.chosen_recipe import NamedRecipe, check_same_recipe, written_recipe
from pulmo.workflows.options.training import SearchOptions

if TYPE_CHECKING:
    from optuna import Study

    from pulmo.experiments.trials import TrialRow


class SearchResult(NamedTuple):
    """What a search found.

    Attributes:
        folder: where the trials and the best recipe are.
        keys: the keys of the recipe that were varied.
        trials: all trials, in the order in which they began.
        best: the complete trial with the lowest validation loss; None if none is complete.
    """

    folder: SearchFolder
    keys: tuple[str, ...]
    trials: "tuple[TrialRow, ...]"
    best: "TrialRow | None"

    @property
    def note(self) -> str:
        """What a reader of the best validation loss must know."""
        return (
            f"The best validation loss is optimistic: it is the lowest of {len(self.trials)} "
            "trials on the same images that chose it. Train the recipe, and evaluate it once on "
            "images that took no part."
        )

    def text(self) -> str:
        """Returns a line for each trial, and which one is the best."""
        from pulmo.experiments.trials import trials_text

        trials = trials_text(self.trials, self.keys)
        if self.best is None:
            return trials
        return f"{trials}\n{self.note}\nThe best is trial {self.best.number}."

    def record(self) -> dict[str, object]:
        """Returns the trials and the best one for a program, as JSON can hold them."""
        return {
            "trials": [row._asdict() for row in self.trials],
            "best": self.best and self.best.number,
            "recipe": str(self.folder.best) if self.best else None,
            "note": self.note,
        }


def search(
    recipe: NamedRecipe,
    data: Manifest | None,
    output: str | Path,
    options: SearchOptions | None = None,
    callbacks: Callbacks | None = None,
    on_trial: "Callable[[TrialRow], None]" = lambda _: None,
) -> SearchResult:
    """Trains trials of a recipe with other values, and keeps the best one.

    To resume, the recipe, the images, the space and the settings are those of the folder, and need
    not be given again.

    Args:
        recipe: a shipped recipe's name, a TOML file, or a recipe.
        data: images with their split; those of the test are not opened.
        output: the folder of the search; it must be new, unless its search is resumed.
        options: how many trials, and how they are trained.
        callbacks: called with the progress of trials in this process; they can stop them.
        on_trial: called with each trial that is finished.

    Raises:
        UsageError: something is missing or cannot be used, or the folder is not free.
        WeightsError: the published initial weights are not available.
        RefusedError: the folder was started with something else.
        InputError: no image may be used, or a file cannot be read or written.
        PulmoError: a trial failed, other than by diverging.
    """
    options, callbacks = options or SearchOptions(), callbacks or Callbacks()
    refuse_several_processes()
    folder = SearchFolder(Path(output).absolute())
    make = _resumed_plan if options.resume else _new_plan
    plan = make(recipe, folder, options, callbacks.on_note)
    if data is None and not options.resume:
        raise UsageError("manifest-not-given", "No manifest is given to search on.")
    # torch takes seconds to import, which a refusal need not cost.
    from pulmo.experiments.folds import usable
    from pulmo.experiments.ray_cluster import open_executor
    from pulmo.experiments.study import Limits, opened_study, run_search
    from pulmo.experiments.trials import best_of, keep_best, list_trials
    from pulmo.models.classifier import check_weights

    images = read_manifest(folder.manifest) if data is None else usable(plan.base.recipe(), data)
    if options.resume:
        check_same_search(plan, images)
    else:
        with claimed_folder(Path(output)):
            check_weights(plan.base.recipe().model)
            begin_search(plan, images)

    def on_done(study: "Study", number: int) -> None:
        keep_best(study, folder)
        on_trial(list_trials(study, folder)[number])

    seconds = math.inf if options.minutes is None else 60 * options.minutes
    limits = Limits(options.trials, time.monotonic() + seconds)
    with open_executor(
        options.ray, callbacks, threads=options.threads, device=options.device
    ) as executor:
        run_search(plan, limits, executor, on_done)
    with opened_study(plan) as study:
        rows = list_trials(study, folder)
    return SearchResult(folder, tuple(plan.space), tuple(rows), best_of(rows))


def _new_plan(
    recipe: NamedRecipe,
    folder: SearchFolder,
    options: SearchOptions,
    _on_note: Callable[[str], None],
) -> SearchPlan:
    base = written_recipe(recipe, options)
    section = base.recipe().train
    if section.choose_by != "loss" or section.choose_on:
        raise UsageError(
            "search-not-by-loss",
            "A search compares trials by the loss on all validation images, but the recipe chooses "
            f"an epoch by train.choose_by = {section.choose_by!r} and train.choose_on = "
            f"{list(section.choose_on)}. Leave out these settings.",
        )
    if options.space is None:
        raise UsageError("search-space-not-given", "No search space is given.")
    return SearchPlan(
        folder,
        base,
        read_space(options.space, base),
        options.seed or 0,
        options.pruner or "median",
        options.device,
    )


def _resumed_plan(
    recipe: NamedRecipe,
    folder: SearchFolder,
    options: SearchOptions,
    on_note: Callable[[str], None],
) -> SearchPlan:
    """Returns the plan of the folder with all that is given again, for `check_same_search`."""
    plan = read_search(folder, options.device)
    check_same_recipe(plan.base.recipe(), recipe, folder.root, options, on_note)
    if options.space is not None:
        plan = plan._replace(space=read_space(options.space, plan.base))
    if options.seed is not None:
        plan = plan._replace(seed=options.seed)
    return plan if options.pruner is None else plan._replace(pruner=options.pruner)
