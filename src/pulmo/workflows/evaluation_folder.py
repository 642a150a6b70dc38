"""An evaluation's folder: the predictions of a model, their figures, and the model's card."""

import numpy as np

from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError
from pulmo.core.files import write_atomically
from pulmo.core.folders import EvaluationFolder
from pulmo.core.record import write_record
from pulmo.datasets.manifest import Manifest
from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
from pulmo.evaluate.evaluation import Evaluation, ModelName
from pulmo.predictions.predictions import Predictions


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
        InputError: an image cannot be read, or a file cannot be written.
    """
    predictions, failed = predict_manifest(predictor, manifest)
    if failed:
        raise InputError(
            f"{len(failed)} of {len(manifest)} images could not be evaluated; the first: "
            f"{failed[0].reason}"
        )
    model = ModelName.from_predictor(predictor)
    provenance = Provenance(model, manifest.sha256, split)
    write_atomically(folder.card, predictor.card.to_json().encode())
    write_evaluation(predictions, provenance, folder)


def write_evaluation(
    predictions: Predictions, provenance: Provenance, folder: EvaluationFolder
) -> Evaluation:
    """Computes the figures of predictions and writes both.

    Raises:
        InputError: a file cannot be written.
    """
    resampling = Resampling(np.random.default_rng(0))
    evaluation = evaluate(predictions, provenance, resampling)
    predictions.save(folder.predictions)
    write_record(folder.index, evaluation)
    return evaluation
