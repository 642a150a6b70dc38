"""A published system trained again, its figures beside ours."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pulmo import stats
from pulmo.audit.parts import Part
from pulmo.bundle.card import Card, read_card
from pulmo.bundle.export import export_run
from pulmo.bundle.predictor import Predictor
from pulmo.core.files import write_atomically
from pulmo.core.folders import ReproductionFolder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.record import read_record
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest, read_manifest
from pulmo.evaluate.evaluation import Evaluation, read_evaluation
from pulmo.experiments.executor import Listener, LocalExecutor, run_all
from pulmo.report.figures import learning_curves
from pulmo.reproduce.available_data import Sets, gather_data
from pulmo.reproduce.floors import floor_figures
from pulmo.reproduce.initial_weights import Start, as_written, from_folder
from pulmo.reproduce.outcome import Figure, Outcome
from pulmo.reproduce.system import Experiment, Published, System
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import Estimates
from pulmo.train.run import Place, train_run
from pulmo.workflows.audit_inputs import bundle_input, fold_part
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.model import load
from pulmo.workflows.repeat import Repeat, claim_repeats, plan_repeats, works_of
from pulmo.workflows.summarise import summarise


class _Trained(NamedTuple):
    """What came of an experiment: how it was judged, and the cards and parts of its runs."""

    evaluation: Evaluation
    cards: tuple[Card, ...]
    parts: tuple[Part, ...]


class Options(NamedTuple):
    """How a system is reproduced.

    Attributes:
        quick: take each recipe's own cheaper variant.
        weights: a folder of ImageNet weights; None if there is none.
        settings: changes to every recipe, as `load_recipe` takes them.
        device: auto, cpu or cuda.
        scratch: start a network without a file in that folder from random weights, by each
            recipe's own variant for that.
    """

    quick: bool = False
    weights: Path | None = None
    settings: tuple[str, ...] = ()
    device: str = "auto"
    scratch: bool = False

    def start(self, experiment: Experiment) -> Start:
        """Returns the recipe of an experiment with the settings, and how its network starts.

        Raises:
            WeightsError: its initial weights cannot be had.
            UsageError: it does not take the settings.
        """
        recipe = load_recipe(experiment.recipe, self.settings, quick=self.quick)
        if start := from_folder(recipe, self.weights):
            return start
        if not self.scratch or recipe.model.weights == "none":
            return as_written(recipe)
        scratch = load_recipe(experiment.recipe, self.settings, quick=self.quick, scratch=True)
        changed = "; what the recipe changes for that is in its table scratch"
        own = changed if scratch.name != recipe.name else ""
        return Start(scratch, f"from random weights, as was asked for{own}")


def reproduce(
    system: System,
    experiment: Experiment,
    sets: Sets,
    folder: Path,
    options: Options,
    listener: Listener,
) -> Outcome:
    """Runs one experiment of a system and returns what came of it.

    One that is finished in `folder` is not run again; one that was cut off goes on.

    Args:
        system: the system.
        experiment: one of it.
        sets: the data sets at hand.
        folder: a folder for the run goes there.
        options: how it is run.
        listener: hears of it.

    Raises:
        InputError: no data set of the experiment is at hand, or it cannot be used.
        RefusedError: the folder holds a run with other settings.
    """
    place = ReproductionFolder(folder / experiment.name)
    done = _finished(place.index)
    if done is None:
        done = _run(system, experiment, sets, place, options, listener)
        write_atomically(place.index, done.model_dump_json(indent=2).encode())
    return done


def _finished(path: Path) -> Outcome | None:
    return read_record(path, Outcome, "an outcome") if path.exists() else None


def _run(
    system: System,
    experiment: Experiment,
    sets: Sets,
    place: ReproductionFolder,
    options: Options,
    listener: Listener,
) -> Outcome:
    start = options.start(experiment)
    data = gather_data(experiment.data, sets, start.recipe.data)
    if not place.manifest.exists():
        data.manifest.save(place.manifest)
    # The manifest that a run began with stays its manifest.
    manifest = read_manifest(place.manifest)
    train = _train_folds if experiment.folds else _train_once
    done = train(start.recipe, manifest, place, options, listener)
    history = [epoch for card in done.cards for epoch in card.training.history]
    return Outcome(
        experiment=experiment.name,
        recipe=start.recipe.name,
        backbone=start.recipe.model.backbone,
        figures=tuple(_figures(done, experiment.published, start.recipe.decision.positive[0])),
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
    options: Options,
    listener: Listener,
) -> _Trained:
    """Trains on a split and evaluates on its test."""
    run, bundle = place.run, place.bundle.root
    where = Place(run, cache_folder(), options.device)
    card = train_run(
        recipe,
        manifest,
        where,
        listener.watch,
        resume=run.recipe.exists(),
        on_decode=listener.on_decode,
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
    options: Options,
    listener: Listener,
) -> _Trained:
    """Trains with each fold held out and evaluates what was held out together."""
    folder = place.folds
    first = Repeat(folder, recipe, 0, device=options.device)
    runs, used = plan_repeats(first, manifest, 1)
    claim_repeats(folder, used, resume=folder.manifest.exists())
    run_all(works_of(runs), LocalExecutor(listener), lambda _: None)
    summarise(runs)
    evaluation = read_evaluation(folder.pooled(first.seed).index)
    cards = tuple(read_card(run.run.card) for run in runs)
    parts = tuple(fold_part(Predictor.open(run.bundle), manifest, run.fold) for run in runs)
    return _Trained(evaluation, cards, parts)


def _figures(done: _Trained, published: Sequence[Published], main: str) -> Iterator[Figure]:
    """Yields each published figure beside ours; without any, what a reader would look for."""
    theirs = {item.name: item.estimate for item in published}
    beside = floor_figures(done.parts)
    found = []
    for metric, label in (
        ("recall", main),
        ("specificity", main),
        ("auc", main),
        ("accuracy", None),
    ):
        name = Published(metric, label, 0.0).name
        ours = done.evaluation.classes[label] if label else done.evaluation.overall
        floors = {floor: _of_floor(each, metric, label) for floor, each in beside.items()}
        found.append(
            Figure(name=name, published=theirs.get(name), ours=ours[metric], floors=floors)
        )
        yield found[-1]
    yield _mean(found[0], found[1], f"mean of recall and specificity of {main}")


def _of_floor(figures: Estimates | str, metric: str, label: str | None) -> Estimate:
    """Returns a figure of a floor, or why there is none."""
    if isinstance(figures, str):
        return Estimate.undefined(figures)
    return figures.classes[label][metric] if label else figures.overall[metric]


def _mean(first: Figure, second: Figure, name: str) -> Figure:
    """Returns the mean of two figures, wherever both are given."""
    theirs = [each.published for each in (first, second) if each.published]
    return Figure(
        name=name,
        published=stats.average(*theirs) if len(theirs) == 2 else None,
        ours=stats.average(first.ours, second.ours),
        floors={
            floor: stats.average(each, second.floors[floor]) for floor, each in first.floors.items()
        },
    )
