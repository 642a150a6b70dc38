"""Evaluate: a table of predictions becomes an evaluation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pulmo.core.errors import UsageError
from pulmo.core.sources import source_names
from pulmo.evaluate.calibrated import band_shares, set_figures
from pulmo.evaluate.confusion import classification_report, confusion
from pulmo.evaluate.contrasts import contrasts, pairs
from pulmo.evaluate.curves import precision_recall_curves, reliability, roc_curves
from pulmo.evaluate.decision import decision_figures, histograms, sweep
from pulmo.evaluate.evaluation import (
    Contrast,
    EvaluatedData,
    Evaluation,
    Failure,
    ModelName,
    PatientFigures,
)
from pulmo.evaluate.homes import homes
from pulmo.evaluate.intake import Judged, judge
from pulmo.evaluate.noted import noted
from pulmo.evaluate.patients import by_patient
from pulmo.evaluate.subgroups import subgroups
from pulmo.evaluate.terms import Terms
from pulmo.evaluate.warnings import list_warnings
from pulmo.stats.classified import NO_SCORES, ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics

FEWEST_REPLICATES = 100
"""With fewer resamples the ends of an interval rest on one or two of them."""


class Provenance(NamedTuple):
    """Where predictions come from.

    Attributes:
        model: the model that made them.
        manifest_sha256: SHA-256 of the manifest's content, or of the file of predictions.
        split: the split that was taken; None for all of the manifest.
        failed: pictures of it without a prediction.
        openings: how often its test was opened with the model, this time included; None if no
            picture is of a test.
        voided: pictures of it that the model has seen in its training.
        notes: how a table of them was read, as sentences.
    """

    model: ModelName
    manifest_sha256: str
    split: str | None = None
    failed: Sequence[Failure] = ()
    openings: int | None = None
    voided: Sequence[Failure] = ()
    notes: Sequence[str] = ()


class Resampling(NamedTuple):
    """How intervals are resampled.

    Attributes:
        generator: source of randomness.
        replicates: number of bootstrap resamples, 100 or more.
    """

    generator: np.random.Generator
    replicates: int = 2000


def evaluate(
    predictions: pd.DataFrame,
    terms: Terms,
    provenance: Provenance,
    resampling: Resampling,
    *,
    prevalence: float | None = None,
) -> Evaluation:
    """Computes all figures of a table of predictions, each with its 95 % interval.

    Args:
        predictions: one row a picture: `path`, `label`, `group`, `source`, `age` in years
            (nullable), `decision` (a class), `positive` (bool) and, unless the terms say that only
            decisions are known, a calibrated `p_<class>` for each class. Labels that the model does
            not know are left out and counted.
        terms: the classes, and when a result is positive.
        provenance: where the predictions come from.
        resampling: how intervals are resampled.
        prevalence: share of positive pictures where the model would be used, between 0 and 1.

    Raises:
        InputError: the table is not one of this model's predictions, or has no picture to judge.
        UsageError: there are too few replicates, or the prevalence is no share.
    """
    if resampling.replicates < FEWEST_REPLICATES:
        raise UsageError(
            f"Intervals need {FEWEST_REPLICATES} resamples or more; {resampling.replicates} were "
            "asked for."
        )
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(f"A prevalence lies between 0 and 1; {prevalence:g} was given.")
    judged = judge(predictions, terms)
    sample = judged.sample
    overall, classes = estimate_metrics(sample, resampling.replicates, resampling.generator)
    patients = _patients(judged, terms, resampling, prevalence)
    places = homes(judged.rows)
    data = _evaluated_data(judged, places, provenance)
    recalls = {label: metrics["recall"] for label, metrics in classes.items()}
    return Evaluation(
        model=provenance.model,
        data=data,
        overall=overall,
        classes=classes,
        confusion=_counts(sample),
        decision=decision_figures(judged, terms, prevalence),
        fitted=terms.fitted,
        bands=band_shares(judged, terms),
        sets=set_figures(judged, terms),
        reliability=reliability(sample) if sample.scored else (),
        roc=roc_curves(sample) if sample.scored else {},
        precision_recall=precision_recall_curves(sample) if sample.scored else {},
        contrasts=_contrasts(sample, places),
        pairs=pairs(sample) if sample.scored else (),
        classification_report=classification_report(sample),
        sweep=sweep(judged, terms) if sample.scored else (),
        histograms=histograms(judged, terms) if sample.scored else {},
        subgroups=subgroups(judged, terms),
        patients=patients,
        warnings=list_warnings(data, judged.rows, recalls, patients),
        scored=sample.scored,
        notes=tuple(provenance.notes),
    )


def _contrasts(sample: ClassifiedImages, places: NDArray[np.str_]) -> tuple[Contrast, ...]:
    """Returns the classes held against each other within each source.

    Without probabilities there is no area under a curve; and of three classes one cannot know to
    which of two a picture is nearer that was decided to be of the third.
    """
    if sample.scored:
        return contrasts(sample, places)
    if len(sample.labels) > 2:
        return ()
    return tuple(
        each.model_copy(update={"auc": Estimate.undefined(NO_SCORES, each.auc.n)})
        for each in contrasts(sample, places)
    )


def _patients(
    judged: Judged, terms: Terms, resampling: Resampling, prevalence: float | None
) -> PatientFigures | None:
    """Returns the figures of one result a patient; None where these are those of the pictures.

    None also where only decisions are known, of which there is no mean.
    """
    patients = by_patient(judged, terms) if judged.sample.scored else None
    if patients is None:
        return None
    sample = patients.judged.sample
    overall, classes = estimate_metrics(sample, resampling.replicates, resampling.generator)
    return PatientFigures(
        n=len(sample),
        mixed=patients.mixed,
        overall=overall,
        classes=classes,
        confusion=_counts(sample),
        decision=decision_figures(patients.judged, terms, prevalence),
    )


def _evaluated_data(
    judged: Judged, places: NDArray[np.str_], provenance: Provenance
) -> EvaluatedData:
    sample = judged.sample
    called = source_names(judged.rows).to_numpy(str)
    sources, parts = (
        {
            str(name): _class_counts(sample, rows["class"])
            for name, rows in judged.rows.groupby(keys, sort=True)
        }
        for keys in (called, np.where(places == "", called, places))
    )
    return EvaluatedData(
        manifest_sha256=provenance.manifest_sha256,
        split=provenance.split,
        n=len(sample),
        groups=int(sample.groups.max()) + 1,
        labels=_class_counts(sample, judged.rows["class"]),
        sources=sources,
        homes={} if parts.keys() == sources.keys() else parts,
        skipped=judged.skipped,
        failed=tuple(provenance.failed),
        voided=tuple(provenance.voided),
        openings=provenance.openings,
        notes=noted(judged.rows),
    )


def _class_counts(sample: ClassifiedImages, classes: pd.Series) -> dict[str, int]:
    """Returns class -> pictures, for every class in the card's order."""
    return {label: int((classes == label).sum()) for label in sample.labels}


def _counts(sample: ClassifiedImages) -> tuple[tuple[int, ...], ...]:
    """Returns the number of pictures [true class, decided class]."""
    return tuple(tuple(row) for row in confusion(sample).tolist())
