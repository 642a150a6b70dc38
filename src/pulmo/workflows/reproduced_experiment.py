"""One experiment of a published system, trained again and compared with what was published."""

from pathlib import Path
from typing import NamedTuple

from pulmo.audit.parts import Part
from pulmo.bundle.card import Card, read_card
from pulmo.bundle.export import export_run
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import write_atomically
from pulmo.core.folders import ReproductionFolder
from pulmo.core.recipe import Recipe
from pulmo.core.record import read_record
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.evaluation import Evaluation, read_evaluation
from pulmo.experiments.executor import LocalExecutor, run_all
from pulmo.report.figures import learning_curves
from pulmo.reproduce.available_data import Sets, gather_data
from pulmo.reproduce.baselines import baseline_values
from pulmo.reproduce.initial_weights import initial_weights
from pulmo.reproduce.options import ReproduceOptions
from pulmo.reproduce.outcome import Outcome, compare_values
from pulmo.reproduce.system import Experiment, System
from pulmo.train.callbacks import Callbacks
from pulmo.train.run import Place, train_run
from pulmo.workflows.audit_inputs import bundle_input, fold_part
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.model import load
from pulmo.workflows.repeated_runs import Repeat, claim_repeats, plan_repeats, works_of
from pulmo.workflows.summarise import summarise


class _Trained(NamedTuple):
    """What came of an experiment: how it was evaluated, and the cards and parts of its runs."""

    evaluation: Evaluation
    cards: tuple[Card, ...]
    parts: tuple[Part, ...]


def run_experiment(
    system: System,
    experiment: Experiment,
    sets: Sets,
    folder: Path,
    options: ReproduceOptions,
    callbacks: Callbacks,
) -> Outcome:
    """Runs one experiment of a system and returns what came of it.

    One that is finished in `folder` is not run again; one that was cut off continues.

    Args:
        system: the system.
        experiment: one of it.
        sets: the data sets.
        folder: a folder for the run goes there.
        options: how it is run.
        callbacks: called with the progress; they can stop it.

    Raises:
        InputError: no data set of the experiment is available, or it cannot be used.
        RefusedError: the folder holds a run with other settings.
    """
    place = ReproductionFolder(folder / experiment.name)
    done = _finished(place.index)
    if done is None:
        done = _run(system, experiment, sets, place, options, callbacks)
        write_atomically(place.index, done.model_dump_json(indent=2).encode())
    return done


def _finished(path: Path) -> Outcome | None:
    return read_record(path, Outcome, "an outcome") if path.exists() else None


def _run(
    system: System,
    experiment: Experiment,
    sets: Sets,
    place: ReproductionFolder,
    options: ReproduceOptions,
    callbacks: Callbacks,
) -> Outcome:
    start = initial_weights(experiment.recipe, options)
    data = gather_data(experiment.data, sets, start.recipe.data)
    if not place.manifest.exists():
        data.manifest.save(place.manifest)
    # The manifest that a run began with stays its manifest.
    manifest = read_manifest(place.manifest)
    train = _train_folds if experiment.folds else _train_once
    done = train(start.recipe, manifest, place, options, callbacks)
    main = start.recipe.decision.positive[0]
    history = [epoch for card in done.cards for epoch in card.training.history]
    return Outcome(
        experiment=experiment.name,
        recipe=start.recipe.name,
        backbone=start.recipe.model.backbone,
        metrics=tuple(
            compare_values(
                done.evaluation, baseline_values(done.parts), experiment.published, main=main
            )
        ),
        n=done.evaluation.data.n,
        labels=dict(done.evaluation.data.labels),
        epochs=len(history),
        minutes=sum(epoch.seconds for epoch in history) / 60,
        notes=(f"Its network starts {start.note}.", *data.notes, *experiment.differs),
        differs=system.differs,
    )


def _train_once(
    recipe: Recipe,
    manifest: Manifest,
    place: ReproductionFolder,
    options: ReproduceOptions,
    callbacks: Callbacks,
) -> _Trained:
    """Trains on a split and evaluates on its test."""
    run, bundle = place.run, place.bundle.root
    where = Place(run, cache_folder(), options.device)
    card = train_run(
        recipe,
        manifest,
        where,
        callbacks,
        resume=run.recipe.exists(),
    )
    write_atomically(run.curves, learning_curves(card.training).encode())
    if not bundle.exists():
        export_run(run, bundle)
    model = load(bundle)
    if not place.evaluation.index.exists():
        report = evaluate(model, manifest, split="test")
        report.require_all()
        report.save(place.evaluation.root)
    parts = bundle_input(model.predictor, manifest, "test", run).parts
    return _Trained(read_evaluation(place.evaluation.index), (card,), parts)


def _train_folds(
    recipe: Recipe,
    manifest: Manifest,
    place: ReproductionFolder,
    options: ReproduceOptions,
    callbacks: Callbacks,
) -> _Trained:
    """Trains with each fold held out and evaluates what was held out together."""
    folder = place.folds
    first = Repeat(folder, recipe, 0, device=options.device)
    runs, used = plan_repeats(first, manifest, 1)
    claim_repeats(folder, used, resume=folder.manifest.exists())
    run_all(works_of(runs), LocalExecutor(callbacks), lambda _: None)
    summarise(runs)
    evaluation = read_evaluation(folder.pooled(first.seed).index)
    cards = tuple(read_card(run.run.card) for run in runs)
    parts = tuple(fold_part(Predictor.open(run.bundle), manifest, run.fold) for run in runs)
    return _Trained(evaluation, cards, parts)
