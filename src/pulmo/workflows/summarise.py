"""The metrics of a repeated experiment over all its runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

import pandas as pd

from pulmo.bundle.card import Card, read_card
from pulmo.core.files import sha256
from pulmo.core.tables import read_parquet
from pulmo.datasets.manifest import read_manifest
from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName, read_evaluation
from pulmo.experiments.summary import Pooled, RunMetrics, Summary, flat
from pulmo.predictions.decision_rule import DecisionRule
from pulmo.predictions.predictions import Predictions
from pulmo.stats.estimate import Estimate
from pulmo.stats.means import corrected_mean
from pulmo.stats.metric import METRICS
from pulmo.workflows.evaluation_report import report_of
from pulmo.workflows.repeated_runs import Repeat

_FOLDS: Final = (
    "Mean: over the folds, of the value on each held-out fold. The interval is that of the "
    "corrected resampled t (Nadeau and Bengio 2003), because the runs share training images."
)
_POOLED: Final = (
    "Pooled: over all images, each predicted by the run that held it out. The interval is that of "
    "pulmo evaluate, which counts patients. A pooled AUC ranks the scores of different networks "
    "together."
)
_VALIDATION: Final = (
    "The evaluated images are the validation images, by which the epoch, temperature and threshold "
    "of each run were chosen: these values are optimistic."
)
_SEEDS: Final = (
    "Mean: over the seeds, with Student's interval. It shows how much chance in training changes "
    "a value, and not how much other images would change it."
)


def summarise(runs: Sequence[Repeat]) -> Summary:
    """Reads the folders of finished runs, and pools their predictions.

    Raises:
        InputError: a run is unfinished or damaged, or a file cannot be written.
    """
    first = runs[0]
    seeds = tuple(dict.fromkeys(run.seed for run in runs))
    rows = [_metrics_of(run) for run in runs]
    pooled = [_pool([run for run in runs if run.seed == seed]) for seed in seeds if first.folds]
    return Summary(
        recipe=first.recipe.name,
        manifest_sha256=read_manifest(first.study.manifest).sha256,
        folds=first.folds,
        seeds=seeds,
        evaluated_on="held-out fold" if first.folds else "validation",
        runs=tuple(rows),
        mean=_means(rows, _ratio(runs) if first.folds else 0.0),
        pooled=tuple(pooled),
        notes=(_FOLDS, _POOLED) if first.folds else (_VALIDATION, _SEEDS),
    )


def _metrics_of(run: Repeat) -> RunMetrics:
    card = read_card(run.run.card)
    evaluation = read_evaluation(run.evaluation.index)
    return RunMetrics(
        name=run.name,
        fold=run.fold,
        seed=run.seed,
        epochs=len(card.training.history),
        best_epoch=card.training.best_epoch,
        minutes=sum(epoch.seconds for epoch in card.training.history) / 60,
        n=evaluation.data.n,
        weights_sha256=card.network.sha256,
        metrics=flat(evaluation),
    )


def _ratio(runs: Iterable[Repeat]) -> float:
    """Returns images held out for one trained on, the mean over the runs."""
    shares = []
    for run in runs:
        held = read_evaluation(run.evaluation.index).data.n
        shares.append(held / sum(read_card(run.run.card).training.counts["train"].values()))
    return sum(shares) / len(shares)


def _means(rows: Sequence[RunMetrics], ratio: float) -> dict[str, Estimate]:
    """Returns the mean of each metric over the folds, or over the seeds without folds.

    Runs of one fold and several seeds count as one, because they share all their images.
    """
    means: dict[str, Estimate] = {}
    for name in rows[0].metrics:
        lacking = [row.name for row in rows if row.metrics[name].value is None]
        if lacking:
            reason = f"it is undefined in {len(lacking)} of {len(rows)} runs, first in {lacking[0]}"
            means[name] = Estimate.undefined(reason, len(rows))
            continue
        table = pd.DataFrame(
            {
                "unit": [row.seed if row.fold is None else row.fold for row in rows],
                "value": [row.metrics[name].value for row in rows],
            }
        )
        values = table.groupby("unit")["value"].mean().tolist()
        means[name] = corrected_mean(values, ratio, _bounds(name))
    return means


def _bounds(name: str) -> tuple[float, float]:
    metric = name.rpartition(".")[2]
    return METRICS[metric].bounds if metric in METRICS else (0.0, 1.0)


def _pool(runs: Sequence[Repeat]) -> Pooled:
    """Evaluates the held-out predictions of all folds together and writes that evaluation."""
    tables = [read_parquet(run.evaluation.predictions) for run in runs]
    cards = [read_card(run.run.card) for run in runs]
    manifest = read_manifest(runs[0].study.manifest)
    model = ModelName(
        name=f"{runs[0].recipe.name}, {len(runs)} folds",
        version=max(card.created for card in cards),
        sha256=sha256("".join(card.network.sha256 for card in cards).encode()),
    )
    provenance = Provenance(model, manifest.sha256, "all folds")
    pooled = Predictions(pd.concat(tables, ignore_index=True), _mean_rule(cards))
    report = report_of(pooled, provenance)
    report.save(runs[0].study.pooled(runs[0].seed).root, page=False)
    data = report.evaluation.data
    return Pooled(seed=runs[0].seed, n=data.n, groups=data.groups, metrics=flat(report.evaluation))


def _mean_rule(cards: Sequence[Card]) -> DecisionRule:
    """Returns the first card's rule with the mean of the thresholds; each run decided by its own.

    The bands and sets of one fold are not those of the others' images.
    """
    threshold = sum(card.decision.threshold for card in cards) / len(cards)
    return replace(cards[0].decision_rule(), threshold=threshold, bands=None, sets=None)
