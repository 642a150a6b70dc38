"""An evaluation's folder: the predictions of a model, their figures, and the model's card."""

import numpy as np
import pandas as pd

from pulmo.bundle.card import Card
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.folders import EvaluationFolder
from pulmo.core.record import write_record
from pulmo.core.tables import write_predictions
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.evaluate.predictions import predict_manifest
from pulmo.evaluate.terms import Terms


def evaluate_bundle(
    predictor: Predictor, manifest: Manifest, split: str, folder: EvaluationFolder
) -> None:
    """Runs a bundle on the images of a manifest and writes its evaluation.

    Args:
        predictor: the opened bundle.
        manifest: the images.
        split: what the evaluation calls them.
        folder: where it goes.

    Raises:
        InputError: a picture cannot be read, or a file cannot be written.
    """
    predicted = predict_manifest(predictor, manifest)
    if predicted.failed:
        raise InputError(
            f"{len(predicted.failed)} of {len(manifest)} images could not be evaluated; the first: "
            f"{predicted.failed[0].reason}"
        )
    card = predictor.card
    model = ModelName.of(predictor)
    provenance = Provenance(model, manifest.sha256, split)
    write_atomically(folder.card, card.to_json().encode())
    write_evaluation(predicted.table, card, provenance, folder)


def write_evaluation(
    predictions: pd.DataFrame, card: Card, provenance: Provenance, folder: EvaluationFolder
) -> Evaluation:
    """Computes the figures of predictions and writes both.

    Raises:
        InputError: a file cannot be written.
    """
    resampling = Resampling(np.random.default_rng(0))
    evaluation = evaluate(predictions, Terms.of(card), provenance, resampling)
    write_predictions(predictions, folder.predictions)
    write_record(folder.index, evaluation)
    return evaluation
