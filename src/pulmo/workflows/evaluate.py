"""Evaluate: a bundle is run on labelled images, and every value has its interval.

The command, repeated experiments, reproductions and Python all come here, so that the guards are
the same: images that the model has seen take no part, another modality or run is refused, and each
access to a test is recorded next to the model.
"""

import os
from pathlib import Path
from typing import Final

from pulmo.bundle.manifest_predictions import predict_manifest
from pulmo.core.errors import UsageError
from pulmo.core.folders import BundleFolder, EvaluationFolder, RunFolder
from pulmo.core.output import claim_folder
from pulmo.core.shipped import records_of
from pulmo.datasets.manifest import Manifest
from pulmo.decide.aim import Aim
from pulmo.decide.validation import check_validation, threshold_for
from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName, read_evaluation
from pulmo.evaluate.internal_external import compare_internal
from pulmo.evaluate.test_access import Recorded, access_of, record_access
from pulmo.predictions.operating_point import OperatingPoint
from pulmo.workflows.evaluation_images import (
    ChosenImages,
    check_modality,
    choose_images,
    rows_of,
)
from pulmo.workflows.evaluation_report import EvaluationReport, report_of
from pulmo.workflows.model import Model, load
from pulmo.workflows.options.evaluation import EvaluateOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

VALIDATION, PREDICTING = "predicting the validation images", "predicting"
"""The stages of an evaluation; the first is there only where a threshold is fitted."""

DEFAULTS: Final = EvaluateOptions()


def evaluate(
    model: Model | str | os.PathLike[str],
    data: Manifest,
    *,
    split: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: EvaluateOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> EvaluationReport:
    """Evaluates a bundle on labelled images.

    Images that the model was trained or chosen on take no part and are counted, unless `split`
    names the training or the validation. An access to a test is recorded next to the bundle.

    Args:
        model: the bundle.
        data: the images.
        split: the split of them that is taken; all if None.
        output: the folder for predictions, values, card and page; None writes none of them.
        options: how.
        on_progress: called with a stage, the images done and the images in all.

    Raises:
        UsageError: there is no such split, options do not fit each other, or the run or the
            internal evaluation is not the model's.
        InputError: no image is chosen, is unseen or can be read, or a file cannot be used.
        RefusedError: images are of a modality that the model was not trained on, or a threshold was
            to be fitted on images that may be of its training.
    """
    if not isinstance(model, Model):
        model = load(model)
    predictor, card = model.predictor, model.card
    if options.aim is None and options.other_manifest:
        raise UsageError(
            "aim-missing",
            "A threshold from another manifest is allowed, but no aim of a threshold is given.",
        )
    if options.aim is not None and split != "test":
        raise UsageError(
            "aim-without-test",
            "A threshold for another aim is fitted on the validation images and evaluated on the "
            "test; name the split test.",
        )
    card.decision_rule().with_merges(options.merge)  # refused before images are read
    images = choose_images(model, data, split, options)
    internal = options.internal and read_evaluation(EvaluationFolder(options.internal).index)
    if options.aim is not None:
        check_validation(card, data, elsewhere=options.other_manifest)
    if output is not None:
        claim_folder(Path(output))
    fitted = options.aim and _fit_threshold(options.aim, model, data, options, on_progress)
    rule = card.decision_rule(fitted or None).with_merges(options.merge)
    recorded = record_use(model, data, images, options.run) if options.record_access else None
    predicting = of_stage(on_progress, PREDICTING)
    predictions = predict_manifest(predictor, images.chosen, rule, predicting)
    provenance = Provenance(
        ModelName.from_predictor(predictor),
        images.chosen.sha256,
        images.split,
        predictions.failed,
        None if recorded is None else recorded.times,
        images.excluded,
        [f"The label {label} counts as {name}." for label, name in options.merge.items()],
        options.views,
        options.modalities,
    )
    found = report_of(predictions, provenance, options.prevalence).evaluation
    if internal:
        found = found.model_copy(update={"internal": compare_internal(found, internal)})
    notices = (*images.notices, *(recorded.failures if recorded else ()))
    report = EvaluationReport(found, predictions, predictor, notices)
    if output is not None:
        report.save(output)
    return report


def access_lists(model: Model, run: Path | None) -> list[Path]:
    """Returns the lists of accesses to tests: next to a model and, if it is known, in its run."""
    folder = model.path if model.path.is_dir() else model.path.parent
    own = BundleFolder(records_of(folder)).test_access
    return [own] if run is None else [own, RunFolder(run).test_access]


def _fit_threshold(
    aim: Aim, model: Model, data: Manifest, options: EvaluateOptions, on_progress: OnProgress
) -> OperatingPoint:
    """Returns the threshold for an aim, fitted on the validation images that are chosen."""
    validation = rows_of(data, "val", options)
    check_modality(validation, model.card)
    return threshold_for(aim, model.predictor, validation, of_stage(on_progress, VALIDATION))


def record_use(
    model: Model, data: Manifest, images: ChosenImages, run: Path | None
) -> Recorded | None:
    """Records the access to a test, next to the model and in its run, if that is known.

    Args:
        model: the bundle.
        data: the whole manifest.
        images: those of its images that are predicted.
        run: the run of the model.

    Returns:
        None if no image is of a test.

    Raises:
        InputError: a list of accesses holds a line that is not an access.
    """
    lists = access_lists(model, run)
    access = access_of(model.predictor, data, images.chosen, images.split, lists)
    return None if access is None else record_access(access, lists)
