"""Evaluate: a table of predictions becomes an evaluation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from pulmo.bundle.card import Card
from pulmo.core.errors import UsageError
from pulmo.evaluate.contrasts import contrasts
from pulmo.evaluate.curves import reliability, roc_curves
from pulmo.evaluate.evaluation import DecisionFigures, EvaluatedData, Evaluation, Failure, ModelName
from pulmo.evaluate.figures import figures
from pulmo.evaluate.intake import Judged, judge
from pulmo.evaluate.intervals import proportion_estimate
from pulmo.evaluate.sample import Sample
from pulmo.evaluate.warnings import list_warnings

FEWEST_REPLICATES = 100
"""With fewer resamples the ends of an interval rest on one or two of them."""


class Provenance(NamedTuple):
    """Where predictions come from.

    Attributes:
        model: the model that made them.
        manifest_sha256: SHA-256 of the manifest's content.
        split: the split that was taken; None for all of the manifest.
        failed: pictures of it without a prediction.
        openings: how often its test was opened with the model, this time included; None if no
            picture is of a test.
    """

    model: ModelName
    manifest_sha256: str
    split: str | None = None
    failed: Sequence[Failure] = ()
    openings: int | None = None


def evaluate(
    predictions: pd.DataFrame,
    card: Card,
    provenance: Provenance,
    *,
    generator: np.random.Generator,
    replicates: int = 2000,
) -> Evaluation:
    """Computes all figures of a table of predictions, each with its 95 % interval.

    Args:
        predictions: one row a picture: `path`, `label`, `group`, `source`, `age` in years
            (nullable), `decision` (a class), `positive` (bool) and a calibrated `p_<class>` for
            each class of the card. Labels that the model does not know are left out and counted.
        card: the card of the model.
        provenance: where the predictions come from.
        generator: source of the bootstrap's randomness.
        replicates: number of bootstrap resamples, 100 or more.

    Raises:
        InputError: the table is not one of this model's predictions, or has no picture to judge.
        UsageError: there are too few replicates.
    """
    if replicates < FEWEST_REPLICATES:
        raise UsageError(
            f"Intervals need {FEWEST_REPLICATES} resamples or more; {replicates} were asked for."
        )
    judged = judge(predictions, card.labels)
    sample = judged.sample
    overall, classes = figures(sample, replicates, generator)
    data = _evaluated_data(judged, provenance)
    sources = judged.rows["source"].to_numpy(np.str_)
    recalls = {label: metrics["recall"] for label, metrics in classes.items()}
    return Evaluation(
        model=provenance.model,
        data=data,
        overall=overall,
        classes=classes,
        confusion=_confusion(sample),
        decision=_decision(judged, card),
        reliability=reliability(sample),
        roc=roc_curves(sample),
        contrasts=contrasts(sample, sources),
        warnings=list_warnings(data, judged.rows, recalls),
    )


def _evaluated_data(judged: Judged, provenance: Provenance) -> EvaluatedData:
    sample = judged.sample
    sources = {
        str(source): _class_counts(sample, rows["class"])
        for source, rows in judged.rows.groupby("source", sort=True)
    }
    return EvaluatedData(
        manifest_sha256=provenance.manifest_sha256,
        split=provenance.split,
        n=len(sample),
        groups=int(sample.groups.max()) + 1,
        labels=_class_counts(sample, judged.rows["class"]),
        sources=sources,
        skipped=judged.skipped,
        failed=tuple(provenance.failed),
        openings=provenance.openings,
    )


def _class_counts(sample: Sample, classes: pd.Series) -> dict[str, int]:
    """Returns class -> pictures, for every class in the card's order."""
    return {label: int((classes == label).sum()) for label in sample.labels}


def _confusion(sample: Sample) -> tuple[tuple[int, ...], ...]:
    """Returns the number of pictures [true class, decided class]."""
    counts = sample.is_class.T.astype(np.int64) @ sample.called_class
    return tuple(tuple(row) for row in counts.tolist())


def _decision(judged: Judged, card: Card) -> DecisionFigures:
    """Returns how well `positive` marks the pictures of the card's positive classes."""
    wanted = judged.rows["class"].isin(card.decision.positive).to_numpy(np.bool_)
    called = judged.rows["positive"].to_numpy(np.bool_)
    groups = judged.sample.groups
    names = " or ".join(card.decision.positive)
    return DecisionFigures(
        positive=card.decision.positive,
        threshold=card.decision.threshold,
        sensitivity=proportion_estimate(called[wanted], groups[wanted], f"no picture is {names}"),
        specificity=proportion_estimate(
            ~called[~wanted], groups[~wanted], f"every picture is {names}"
        ),
    )
