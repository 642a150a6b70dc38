"""What a comparison reads: evaluations, runs and repeated experiments, each from its folder."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from pulmo.bundle.card import Card, Epoch, read_card
from pulmo.compare.within import with_within
from pulmo.core.errors import InputError, UsageError
from pulmo.core.folders import EvaluationFolder, RepeatFolder, RepeatsFolder
from pulmo.core.tables import read_parquet
from pulmo.evaluate.evaluation import Curve, Evaluation, read_evaluation
from pulmo.evaluate.warnings import unstated_images
from pulmo.experiments.summary import Summary, read_summary
from pulmo.predictions.predictions import Predictions
from pulmo.report.comparison import ComparedModel
from pulmo.stats.estimate import Estimate

_RUN_METRICS = {
    "validation_loss": "val_loss",
    "validation_accuracy": "val_accuracy",
    "validation_balanced_accuracy": "val_balanced_accuracy",
}
_NO_INTERVAL = "training gives none; evaluate the bundle"


class Entry(NamedTuple):
    """One of those compared, with what does not go into the tables.

    Attributes:
        model: its row.
        histories: the epochs of each of its runs.
        roc: class -> ROC curve against the rest.
        predictions: what it says of each image; None where that is not known.
        unstated: of how many of its images it is not stated which source they are from.
    """

    model: ComparedModel
    histories: tuple[Sequence[Epoch], ...] = ()
    roc: dict[str, Curve] | None = None
    predictions: Predictions | None = None
    unstated: int = 0


def read_entries(folders: Sequence[Path]) -> list[Entry]:
    """Reads folders and names each by as much of its path as distinguishes it from the others.

    Raises:
        UsageError: one is there twice.
        InputError: one is none of the three, or a file in it cannot be read.
    """
    whole = [folder.resolve() for folder in folders]
    if len(set(whole)) < len(whole):
        raise UsageError("folder-repeated", "A folder is named twice. Name each folder once.")
    parts = 1
    while len({path.parts[-parts:] for path in whole}) < len(whole):
        parts += 1
    names = ["/".join(path.parts[-parts:]) for path in whole]
    return [_read(folder, name) for folder, name in zip(folders, names, strict=True)]


def _read(folder: Path, name: str) -> Entry:
    """Reads one folder; its files show what it is."""
    repeats, evaluation, repeat = (
        RepeatsFolder(folder),
        EvaluationFolder(folder),
        RepeatFolder(folder),
    )
    if repeats.index.exists():
        return _repeats(repeats, name)
    if evaluation.index.exists():
        return _evaluation(evaluation, name, None)
    if repeat.run.card.exists():
        card, inner = read_card(repeat.run.card), repeat.evaluation
        return _evaluation(inner, name, card) if inner.index.exists() else _run(card, name)
    raise InputError(
        "comparison-folder-unknown",
        f"{folder} cannot be compared. Expected an evaluation ({evaluation.index.name}), a "
        f"finished run ({repeat.run.card.name}) or repeated runs ({repeats.index.name}).",
    )


def _evaluation(folder: EvaluationFolder, name: str, card: Card | None) -> Entry:
    if card is None and folder.card.exists():
        card = read_card(folder.card)
    evaluation = read_evaluation(folder.index)
    history = card.training.history if card else ()
    predictions = _predictions(folder, evaluation)
    model = with_within(_evaluated(name, evaluation, card), predictions)
    histories = (history,) if history else ()
    unstated = unstated_images(evaluation.data)
    return Entry(model, histories, evaluation.roc, predictions, unstated)


def _predictions(folder: EvaluationFolder, evaluation: Evaluation) -> Predictions | None:
    """Reads the predictions of an evaluation; None if these are not what was evaluated.

    An evaluation from before it kept the merged labels does not tell what they count as.
    """
    found = Predictions(read_parquet(folder.predictions), evaluation.decision_rule())
    return found if int((found.truth >= 0).sum()) == evaluation.data.n else None


def _evaluated(name: str, evaluation: Evaluation, card: Card | None) -> ComparedModel:
    """Returns the row of an evaluation; without a card it does not know the network."""
    data, decision = evaluation.data, evaluation.decision
    history = card.training.history if card else None
    whole = "all of a manifest" if card else "a table of predictions"
    return ComparedModel(
        name=name,
        kind="evaluation",
        labels=tuple(evaluation.classes),
        positive=decision.positive,
        recipe=card.training.recipe if card else None,
        backbone=card.network.backbone if card else None,
        parameters=card.network.parameters if card else None,
        epochs=len(history) if history else None,
        minutes=_minutes(history) if history else None,
        evaluated_on=f"split {data.split}" if data.split else whole,
        n=data.n,
        groups=data.groups,
        metrics={
            **evaluation.overall,
            "sensitivity": decision.sensitivity,
            "specificity": decision.specificity,
            **({"auc": decision.auc} if decision.auc else {}),
        },
        classes=evaluation.classes,
        support=data.labels,
    )


def _run(card: Card, name: str) -> Entry:
    """Returns a run without an evaluation: what its training saw of the validation images."""
    training = card.training
    best, count = training.history[training.best_epoch - 1], sum(training.counts["val"].values())
    metrics = {
        title: Estimate(float(getattr(best, field)), None, None, count, _NO_INTERVAL)
        for title, field in _RUN_METRICS.items()
    }
    model = ComparedModel(
        name=name,
        kind="run",
        labels=card.labels.order,
        positive=card.decision.positive,
        recipe=training.recipe,
        backbone=card.network.backbone,
        parameters=card.network.parameters,
        epochs=len(training.history),
        minutes=_minutes(training.history),
        evaluated_on="validation, by training itself",
        n=count,
        metrics=metrics,
    )
    return Entry(model, (training.history,))


def _repeats(folder: RepeatsFolder, name: str) -> Entry:
    """Returns a repeated experiment: its folds pooled, or the mean over its seeds."""
    summary = read_summary(folder.index)
    cards = [read_card(folder.repeat(run.name).run.card) for run in summary.runs]
    histories = tuple(card.training.history for card in cards)
    if not summary.folds:
        return Entry(_seeds(summary, cards[0], name), histories)
    seed = summary.seeds[0]
    pooled = folder.pooled(seed)
    evaluation = read_evaluation(pooled.index)
    rest = f" of seed {seed}" if len(summary.seeds) > 1 else ""
    predictions = _predictions(pooled, evaluation)
    model = _evaluated(name, evaluation, cards[0]).model_copy(
        update={
            **_over_runs(summary),
            "evaluated_on": f"{summary.folds} held-out folds pooled{rest}",
        }
    )
    model = with_within(model, predictions)
    return Entry(model, histories, evaluation.roc, predictions, unstated_images(evaluation.data))


def _seeds(summary: Summary, card: Card, name: str) -> ComparedModel:
    """Returns the row of runs that differ by their seed alone."""
    classes: dict[str, dict[str, Estimate]] = {}
    for key, estimate in summary.mean.items():
        label, _, metric = key.rpartition(".")
        classes.setdefault(label, {})[metric] = estimate
    model = ComparedModel(
        name=name,
        kind="repeats",
        labels=card.labels.order,
        positive=card.decision.positive,
        recipe=summary.recipe,
        backbone=card.network.backbone,
        parameters=card.network.parameters,
        evaluated_on=f"validation, mean over {len(summary.seeds)} seeds",
        n=summary.runs[0].n,
        metrics=classes.pop(""),
        classes=classes,
        support=card.training.counts["val"],
    )
    return model.model_copy(update=_over_runs(summary))


def _over_runs(summary: Summary) -> dict[str, object]:
    """Returns what is counted over all runs."""
    runs = summary.runs
    return {
        "kind": "repeats",
        "runs": len(runs),
        "epochs": sum(run.epochs for run in runs) / len(runs),
        "minutes": sum(run.minutes for run in runs),
    }


def _minutes(history: Sequence[Epoch]) -> float:
    return sum(epoch.seconds for epoch in history) / 60
