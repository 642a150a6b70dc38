"""The runs of a repeated experiment: one for each fold that is held out, and for each seed."""

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from pulmo.bundle.export import export_run
from pulmo.core.errors import RefusedError, UsageError
from pulmo.core.files import remove_drafts, write_atomically
from pulmo.core.folders import EvaluationFolder, RepeatFolder, RepeatsFolder, RunFolder
from pulmo.core.recipe import Recipe
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.datasets.split import check_split
from pulmo.experiments.executor import Work
from pulmo.experiments.folds import HELD, count_folds, fold_split, usable
from pulmo.report.figures import learning_curves
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.model import load
from pulmo.workflows.options.evaluation import EvaluateOptions

_HELD_OUT: Final = EvaluateOptions(record_access=False)
"""A fold that is held out, like the validation, is no test that may be looked at only once."""


class Repeat(NamedTuple):
    """One run of a repeated experiment.

    Attributes:
        study: the folder of the experiment.
        recipe: its recipe, with the seed of this run.
        fold: the fold that is held out; None with the manifest's own split.
        folds: the number of folds, or 0.
        device: auto, cpu or cuda.
        threads: threads of the evaluation; 0 takes all cores.
    """

    study: RepeatsFolder
    recipe: Recipe
    fold: int | None = None
    folds: int = 0
    device: str = "auto"
    threads: int = 0

    @property
    def seed(self) -> int:
        """The seed of the run."""
        return self.recipe.train.seed

    @property
    def name(self) -> str:
        """The name of its folder."""
        part = "" if self.fold is None else f"fold-{self.fold}-"
        return f"{part}seed-{self.seed}"

    @property
    def _folder(self) -> RepeatFolder:
        return self.study.repeat(self.name)

    @property
    def run(self) -> RunFolder:
        """Its folder."""
        return self._folder.run

    @property
    def bundle(self) -> Path:
        """Its bundle."""
        return self._folder.bundle.root

    @property
    def evaluation(self) -> EvaluationFolder:
        """Its evaluation on the images of `evaluated_on`."""
        return self._folder.evaluation

    @property
    def evaluated_on(self) -> str:
        """The split of its manifest that it is evaluated on.

        With folds that is the one held out; else validation, because the test is for the end.
        """
        return "val" if self.fold is None else HELD

    def split(self, manifest: Manifest) -> Manifest:
        """Returns the experiment's images with the split of this run."""
        return manifest if self.fold is None else fold_split(manifest, self.fold, self.folds)


def plan_repeats(first: Repeat, manifest: Manifest, seeds: int) -> tuple[list[Repeat], Manifest]:
    """Returns the runs of a repeated experiment, and the images of all of them.

    Args:
        first: a run with the first seed; fold 0 if each fold is to be held out.
        manifest: images with their split, or their folds.
        seeds: how many seeds, counted up from the recipe's own.

    Raises:
        UsageError: the manifest has no usable folds.
        InputError: it has no image that the recipe may use.
        RefusedError: a split leaks.
    """
    images = usable(first.recipe, manifest)
    recipes = [_with_seed(first.recipe, first.seed + number) for number in range(seeds)]
    if first.fold is None:
        runs = [first._replace(recipe=recipe) for recipe in recipes]
    else:
        folds = count_folds(images)
        images = images.select(images.frame["fold"].notna())
        runs = [
            first._replace(recipe=recipe, fold=fold, folds=folds)
            for recipe in recipes
            for fold in range(folds)
        ]
    for run in runs[: runs[0].folds or 1]:
        check_split(run.split(images))
    return runs, images


def claim_repeats(folder: RepeatsFolder, manifest: Manifest, *, resume: bool) -> None:
    """Checks that a folder is free, or holds this experiment, and writes its manifest.

    Raises:
        UsageError: it is not free, or holds no such experiment.
        RefusedError: it was started with other images.
        InputError: it cannot be written to.
    """
    # A process that was killed may have left a part of the manifest.
    there = folder.root.glob("[!.]*")
    if folder.manifest.exists():
        if not resume:
            raise UsageError("run-exists", f"{folder.root} contains runs already.")
        if read_manifest(folder.manifest).sha256 != manifest.sha256:
            raise RefusedError(
                "run-data-changed",
                f"{folder.root} was started with other images, folds or another split.",
            )
    elif any(there):
        raise UsageError("folder-not-empty", f"{folder.root} is not empty.")
    elif resume:
        raise UsageError("resume-without-run", f"{folder.root} contains no runs to resume.")
    else:
        manifest.save(folder.manifest)


def works_of(runs: Iterable[Repeat]) -> dict[str, Work]:
    """Returns the name of each run and what does it."""
    return {run.name: partial(do_repeat, run) for run in runs}


def do_repeat(run: Repeat, callbacks: Callbacks) -> None:
    """Trains, exports and evaluates one run; what is there already is not done again.

    Raises:
        PulmoError: what training, exporting and evaluating raise.
    """
    remove_drafts(run.run.root)
    images = run.split(read_manifest(run.study.manifest))
    card = train_run(
        run.recipe,
        images,
        Place(run.run, cache_folder(), run.device),
        callbacks,
        resume=run.run.recipe.exists(),
    )
    write_atomically(run.run.curves, learning_curves(card.training).encode())
    if not run.bundle.exists():
        export_run(run.run, run.bundle)
    if not run.evaluation.index.exists():
        model = load(run.bundle, run.threads)
        report = evaluate(model, images, split=run.evaluated_on, options=_HELD_OUT)
        report.require_all()
        report.save(run.evaluation.root, page=False)


def _with_seed(recipe: Recipe, seed: int) -> Recipe:
    section = recipe.train.model_copy(update={"seed": seed})
    return recipe.model_copy(update={"train": section})
