"""Evaluate: a table of predictions becomes an evaluation."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pulmo.core.errors import UsageError
from pulmo.core.sources import source_names
from pulmo.datasets.effective_source import effective_sources
from pulmo.evaluate.calibrated import band_shares, set_metrics
from pulmo.evaluate.confusion import classification_report, confusion
from pulmo.evaluate.contrasts import contrasts, pairs
from pulmo.evaluate.curves import precision_recall_curves, reliability, roc_curves
from pulmo.evaluate.decision import decision_metrics, histograms, sweep
from pulmo.evaluate.evaluation import Contrast, EvaluatedData, Evaluation, ModelName, PatientMetrics
from pulmo.evaluate.subgroups import subgroups
from pulmo.evaluate.warnings import list_warnings
from pulmo.predictions.predictions import Failure, Predictions
from pulmo.predictions.table import image_notes
from pulmo.stats.classified import NO_SCORES, ClassifiedImages
from pulmo.stats.estimate import Estimate
from pulmo.stats.estimates import estimate_metrics

LEAST_REPLICATES = 100
"""With fewer resamples the ends of an interval rest on one or two of them."""


SEED = 0
"""The seed of the resamples, so that the same predictions have the same intervals everywhere."""

REPLICATES = 2000
"""Number of resamples."""


class Provenance(NamedTuple):
    """Where predictions come from.

    Attributes:
        model: the model that made them.
        manifest_sha256: SHA-256 of the manifest's content, or of the file of predictions.
        split: the split that was taken; None for all of the manifest.
        failed: images of it without a prediction.
        test_accesses: how often its test was evaluated with the model, this time included; None if
            no image is of a test.
        excluded: images of it that the model has seen in its training.
        notes: how a table of them was read, as sentences.
        views: the views that were chosen; empty for all.
        modalities: the modalities that were chosen; empty for all.
    """

    model: ModelName
    manifest_sha256: str
    split: str | None = None
    failed: Sequence[Failure] = ()
    test_accesses: int | None = None
    excluded: Sequence[Failure] = ()
    notes: Sequence[str] = ()
    views: Sequence[str] = ()
    modalities: Sequence[str] = ()


class Resampling(NamedTuple):
    """How intervals are resampled.

    Attributes:
        generator: source of randomness.
        replicates: number of bootstrap resamples, 100 or more.
    """

    generator: np.random.Generator
    replicates: int = REPLICATES


def evaluate(
    predictions: Predictions,
    provenance: Provenance,
    resampling: Resampling,
    *,
    prevalence: float | None = None,
) -> Evaluation:
    """Computes all metrics of predictions, each with its 95 % interval.

    Args:
        predictions: images whose label counts as no class are left out and counted.
        provenance: where the predictions come from.
        resampling: how intervals are resampled.
        prevalence: share of positive images where the model would be used, between 0 and 1.

    Raises:
        InputError: no image has a label that the model knows.
        UsageError: there are too few replicates, or the prevalence is no share.
    """
    _check(resampling, prevalence)
    labelled = predictions.labelled()
    sample, rule = labelled.classified, predictions.rule
    overall, classes = estimate_metrics(sample, resampling.replicates, resampling.generator)
    patients = _patients(labelled, resampling, prevalence)
    rows = labelled.frame.assign(**{"class": labelled.classes})
    sources = effective_sources(rows)
    data = evaluated_data(predictions, labelled, sources, provenance)
    recalls = {label: metrics["recall"] for label, metrics in classes.items()}
    return Evaluation(
        model=provenance.model,
        data=data,
        merges=rule.merges,
        overall=overall,
        classes=classes,
        confusion=_counts(sample),
        decision=decision_metrics(labelled, prevalence),
        fitted=rule.fitted,
        bands=band_shares(labelled),
        sets=set_metrics(labelled),
        reliability=reliability(sample) if rule.scored else (),
        roc=roc_curves(sample) if rule.scored else {},
        precision_recall=precision_recall_curves(sample) if rule.scored else {},
        contrasts=_contrasts(sample, sources),
        pairs=pairs(sample) if rule.scored else (),
        classification_report=classification_report(sample),
        sweep=sweep(labelled),
        histograms=histograms(labelled),
        subgroups=subgroups(labelled),
        patients=patients,
        warnings=list_warnings(data, rows, recalls, patients),
        scored=rule.scored,
        notes=tuple(provenance.notes),
    )


def _check(resampling: Resampling, prevalence: float | None) -> None:
    """Refuses options that no interval can be made with.

    Raises:
        UsageError: there are too few replicates, or the prevalence is no share.
    """
    if resampling.replicates < LEAST_REPLICATES:
        raise UsageError(
            "resamples-too-few",
            f"Intervals need at least {LEAST_REPLICATES} resamples; got {resampling.replicates}.",
        )
    if prevalence is not None and not 0 < prevalence < 1:
        raise UsageError(
            "prevalence-invalid", f"A prevalence must be between 0 and 1; got {prevalence:g}."
        )


def _contrasts(sample: ClassifiedImages, sources: NDArray[np.str_]) -> tuple[Contrast, ...]:
    """Returns the classes compared with each other within each source.

    Without probabilities there is no area under a curve; and of three classes one cannot know to
    which of two an image is nearer that was decided to be of the third.
    """
    if sample.scored:
        return contrasts(sample, sources)
    if len(sample.labels) > 2:
        return ()
    return tuple(
        each.model_copy(update={"auc": Estimate.undefined(NO_SCORES, each.auc.n)})
        for each in contrasts(sample, sources)
    )


def _patients(
    labelled: Predictions, resampling: Resampling, prevalence: float | None
) -> PatientMetrics | None:
    """Returns the metrics of one result a patient; None where there are no others."""
    patients = labelled.by_patient()
    if patients is None:
        return None
    sample = patients.predictions.classified
    overall, classes = estimate_metrics(sample, resampling.replicates, resampling.generator)
    return PatientMetrics(
        n=len(sample),
        mixed=patients.mixed,
        overall=overall,
        classes=classes,
        confusion=_counts(sample),
        decision=decision_metrics(patients.predictions, prevalence),
    )


def evaluated_data(
    predictions: Predictions,
    labelled: Predictions,
    sources: NDArray[np.str_],
    provenance: Provenance,
) -> EvaluatedData:
    """Returns what was evaluated.

    Args:
        predictions: of all images.
        labelled: those of images whose label counts as a class.
        sources: the effective source of each of these, [n].
        provenance: where the predictions come from.
    """
    named = source_names(labelled.frame).to_numpy(str)
    of_sources = _counts_by(labelled, named)
    of_effective = _counts_by(labelled, np.where(sources == "", named, sources))
    return EvaluatedData(
        manifest_sha256=provenance.manifest_sha256,
        split=provenance.split,
        views=tuple(provenance.views),
        modalities=tuple(provenance.modalities),
        n=len(labelled),
        groups=int(labelled.groups.max()) + 1,
        labels=_class_counts(labelled, np.ones(len(labelled), np.bool_)),
        sources=of_sources,
        effective_sources={} if of_effective.keys() == of_sources.keys() else of_effective,
        skipped=predictions.unknown_labels,
        failed=tuple(provenance.failed),
        excluded=tuple(provenance.excluded),
        test_accesses=provenance.test_accesses,
        image_notes=image_notes(labelled.frame),
    )


def _counts_by(labelled: Predictions, names: NDArray[np.str_]) -> dict[str, dict[str, int]]:
    """Returns name -> class -> images, for every class in the order of the rule."""
    return {str(name): _class_counts(labelled, names == name) for name in np.unique(names)}


def _class_counts(labelled: Predictions, chosen: NDArray[np.bool_]) -> dict[str, int]:
    classes = labelled.rule.classes
    counts = np.bincount(labelled.truth[chosen], minlength=len(classes))
    return dict(zip(classes, counts.tolist(), strict=True))


def _counts(sample: ClassifiedImages) -> tuple[tuple[int, ...], ...]:
    """Returns the number of images [true class, decided class]."""
    return tuple(tuple(row) for row in confusion(sample).tolist())
