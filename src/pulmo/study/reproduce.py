"""A published system trained again, its figures beside ours."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pandas as pd
from pydantic import ValidationError

from pulmo.bundle.card import Card, read_card
from pulmo.bundle.export import export_run
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes, write_atomically
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.run_folder import RunFolder
from pulmo.core.tables import read_manifest, write_manifest
from pulmo.datasets.cache import cache_folder
from pulmo.evaluate.evaluation import Evaluation, read_evaluation
from pulmo.report.figures import learning_curves
from pulmo.study.at_hand import Sets, gather_data
from pulmo.study.crew import Alone, Listener, do_all
from pulmo.study.evaluation_folder import EvaluationFolder, evaluate_bundle
from pulmo.study.initial_weights import Start, with_weights
from pulmo.study.outcome import Figure, Outcome, mean_of
from pulmo.study.repeats import Repeat, claim_repeats, plan_repeats, works_of
from pulmo.study.repeats_folder import RepeatsFolder
from pulmo.study.summarise import summarise
from pulmo.study.system import Experiment, Published, System
from pulmo.train.run import Place, train_run

if TYPE_CHECKING:
    from pulmo.core.estimate import Estimate


class Options(NamedTuple):
    """How a system is reproduced.

    Attributes:
        quick: take each recipe's own cheaper variant.
        weights: a folder of ImageNet weights; None if there is none.
        settings: changes to every recipe, as `load_recipe` takes them.
        device: auto, cpu or cuda.
    """

    quick: bool = False
    weights: Path | None = None
    settings: tuple[str, ...] = ()
    device: str = "auto"

    def start(self, experiment: Experiment) -> Start:
        """Returns the recipe of an experiment with the settings, and how its network starts.

        Where its initial weights cannot be had, that is its own variant for a random start.
        """
        recipe = load_recipe(experiment.recipe, self.settings, quick=self.quick)
        start = with_weights(recipe, self.weights)
        if start.found:
            return start
        scratch = load_recipe(experiment.recipe, self.settings, quick=self.quick, scratch=True)
        if scratch.name == recipe.name:
            return start
        note = f"{start.note}; what the recipe changes for that is in its table scratch"
        return Start(scratch, note, found=False)


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
    place = folder / experiment.name
    done = _finished(place / "outcome.json")
    if done is None:
        done = _run(system, experiment, sets, place, options, listener)
        write_atomically(place / "outcome.json", done.model_dump_json(indent=2).encode())
    return done


def _finished(path: Path) -> Outcome | None:
    if not path.exists():
        return None
    try:
        return Outcome.model_validate_json(read_bytes(path))
    except ValidationError as error:
        raise InputError(f"{path} is not an outcome: {error.errors()[0]['msg']}.") from None


def _run(
    system: System,
    experiment: Experiment,
    sets: Sets,
    place: Path,
    options: Options,
    listener: Listener,
) -> Outcome:
    manifest = place / "manifest.parquet"
    start = options.start(experiment)
    data = gather_data(experiment.data, sets, start.recipe.data)
    if not manifest.exists():
        write_manifest(data.manifest, manifest)
    # The manifest that a run began with stays its manifest.
    table = read_manifest(manifest)
    train = _train_folds if experiment.folds else _train_once
    evaluation, runs = train(start.recipe, table, place, options, listener)
    history = [epoch for card in runs for epoch in card.training.history]
    return Outcome(
        experiment=experiment.name,
        recipe=start.recipe.name,
        backbone=start.recipe.model.backbone,
        figures=tuple(_figures(evaluation, experiment.published, start.recipe)),
        n=evaluation.data.n,
        labels=dict(evaluation.data.labels),
        epochs=len(history),
        minutes=sum(epoch.seconds for epoch in history) / 60,
        notes=(f"Its network starts {start.note}.", *data.notes, *experiment.differs),
        differs=system.differs,
    )


def _train_once(
    recipe: Recipe, table: pd.DataFrame, place: Path, options: Options, listener: Listener
) -> tuple[Evaluation, list[Card]]:
    """Trains on a split and evaluates on its test."""
    run, bundle = RunFolder(place / "run"), place / "bundle"
    where = Place(run, cache_folder(), options.device)
    card = train_run(
        recipe,
        table,
        where,
        listener.watch,
        resume=run.recipe.exists(),
        on_decode=listener.on_decode,
    )
    write_atomically(run.curves, learning_curves(card.training).encode())
    if not bundle.exists():
        export_run(run, bundle)
    folder = EvaluationFolder(place / "evaluation")
    evaluate_bundle(Predictor.open(bundle), table[table["split"] == "test"], "test", folder)
    return read_evaluation(folder.evaluation), [card]


def _train_folds(
    recipe: Recipe, table: pd.DataFrame, place: Path, options: Options, listener: Listener
) -> tuple[Evaluation, list[Card]]:
    """Trains with each fold held out and evaluates what was held out together."""
    folder = RepeatsFolder(place / "folds")
    first = Repeat(folder, recipe, 0, device=options.device)
    runs, used = plan_repeats(first, table, 1, "pulmo data split --folds")
    claim_repeats(folder, used, resume=folder.manifest.exists())
    do_all(works_of(runs), Alone(listener), lambda _: None)
    summarise(runs)
    evaluation = read_evaluation(folder.pooled(first.seed).evaluation)
    return evaluation, [read_card(run.run.card) for run in runs]


def _figures(
    evaluation: Evaluation, published: Sequence[Published], recipe: Recipe
) -> Iterator[Figure]:
    """Yields each published figure beside ours; without any, what a reader would look for."""
    main = recipe.decision.positive[0]
    theirs = {item.name: item.estimate for item in published}
    both: list[tuple[Estimate | None, Estimate]] = []
    for metric, label in (
        ("recall", main),
        ("specificity", main),
        ("auc", main),
        ("accuracy", None),
    ):
        item = Published(metric, label, 0.0)
        table = evaluation.overall if label is None else evaluation.classes[label]
        both.append((theirs.get(item.name), table[metric]))
        yield Figure(name=item.name, published=both[-1][0], ours=both[-1][1])
    (their_recall, recall), (their_specificity, specificity) = both[:2]
    theirs_too = their_recall and their_specificity and mean_of(their_recall, their_specificity)
    yield Figure(
        name=f"mean of recall and specificity of {main}",
        published=theirs_too,
        ours=mean_of(recall, specificity),
    )
