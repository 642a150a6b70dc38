"""Within one source: what predictions say where the source of an image cannot help."""

from typing import Final

from pulmo.datasets.effective_source import effective_sources
from pulmo.evaluate.evaluate import REPLICATES, SEED
from pulmo.evaluate.within_source import WithinSource
from pulmo.predictions.predictions import Predictions
from pulmo.report.comparison import ComparedModel

WITHIN: Final = "within_source_auc"
"""The name of the mean AUC over the comparisons of two classes within one source."""


def comparisons_of(labelled: Predictions) -> WithinSource:
    """Returns the comparisons of two classes within one source.

    Args:
        labelled: predictions of images whose label counts as a class.
    """
    rows = labelled.frame.assign(**{"class": labelled.classes})
    return WithinSource.of(
        labelled.classified, effective_sources(rows), labelled.rule.positive, REPLICATES, SEED
    )


def with_within(model: ComparedModel, predictions: Predictions | None) -> ComparedModel:
    """Returns a model with its mean AUC within one source, if its predictions are known."""
    if predictions is None:
        return model
    labelled = predictions.labelled()
    found = comparisons_of(labelled)
    metrics = {WITHIN: found.auc(labelled.classified), **model.metrics}
    words = tuple(one.words for one in found.found)
    return model.model_copy(update={"metrics": metrics, "within": words})
