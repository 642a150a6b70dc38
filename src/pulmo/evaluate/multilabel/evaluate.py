"""Evaluate: a table of several findings per image becomes an evaluation."""

from collections.abc import Callable

import numpy as np

from pulmo.core.sources import are_stated, source_names
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
from pulmo.evaluate.multilabel.table import LabelsTable
from pulmo.evaluate.multilabel.warnings import list_labels_warnings
from pulmo.stats.multilabel.estimates import estimate_label_metrics


def evaluate_labels(
    table: LabelsTable,
    provenance: Provenance,
    resampling: Resampling,
    on_progress: Callable[[int, int], None] | None = None,
) -> LabelsEvaluation:
    """Computes the metrics of each finding and those over all, each with its 95 % interval.

    A finding is evaluated as `pulmo.evaluate.evaluate` evaluates two classes, it and its absence,
    on the images labelled for it; one that no image is labelled for is left out.

    Args:
        table: the predictions.
        provenance: where they come from.
        resampling: how intervals are resampled.
        on_progress: called with the findings done and the findings in all.

    Raises:
        UsageError: there are too few replicates.
    """
    sample = table.to_images()
    over_all, *each = resampling.generator.spawn(1 + len(sample.labels))
    labels = {}
    for done, (label, generator) in enumerate(zip(sample.labels, each, strict=True), 1):
        model = provenance.model
        named = model.model_copy(update={"name": f"{model.name}: {label}"})
        labels[label] = evaluate(
            table.of_label(table.labels.index(label)),
            provenance._replace(model=named),
            resampling._replace(generator=generator),
        )
        if on_progress:
            on_progress(done, len(sample.labels))
    unlabelled = tuple(label for label in table.labels if label not in labels)
    there = sample.truth.astype(np.int64)
    evaluated = table.rows.iloc[np.flatnonzero(~np.isnan(table.truth).all(axis=1))]
    unstated = int((~are_stated(source_names(evaluated))).sum())
    return LabelsEvaluation(
        model=provenance.model,
        manifest_sha256=provenance.manifest_sha256,
        n=len(sample),
        groups=int(sample.groups.max()) + 1,
        whole=int(sample.whole.sum()),
        overall=estimate_label_metrics(sample, resampling.replicates, over_all),
        labels=labels,
        together=tuple(tuple(row) for row in (there.T @ there).tolist()),
        unlabelled=unlabelled,
        warnings=list_labels_warnings(sample, len(table.rows), unlabelled, unstated, labels),
        notes=tuple(provenance.notes),
    )
