"""pulmo evaluate."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from pulmo.cli.console import progress, say, say_notes
from pulmo.cli.evaluate_choice import Choice, check_modality, chosen_rows, fit_on_val, unseen_rows
from pulmo.cli.evaluate_summary import tell_evaluation
from pulmo.cli.evaluate_table import TableOptions, evaluate_table
from pulmo.cli.model import ModelOption, one_model, open_model
from pulmo.cli.output import claim_folder
from pulmo.cli.table_options import TABLES, Decision, Merge, Score, Truth, merges
from pulmo.cli.table_template import Template
from pulmo.cli.test_access import lists_of, record
from pulmo.core.errors import InputError, PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.bundle.predictor import Predictor
    from pulmo.decide.thresholds import Aim
    from pulmo.evaluate.evaluation import Evaluation
    from pulmo.predictions.predictions import Predictions
    from pulmo.report.gallery import Shown

Several = list[str] | None


def evaluate(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE|PREDICTIONS",
            help="A bundle, or its model.onnx; or a table of any model's predictions, .csv, .tsv, "
            ".txt, .xlsx or .parquet, with path, label, p_<class> and what else is known "
            "(--template prints one); of several findings per image, with y_<finding> beside each "
            "p_<finding>.",
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option(help="A manifest, for a bundle.")] = None,
    split: Annotated[str | None, typer.Option(help="The split to take; without it, all.")] = None,
    view: Annotated[Several, typer.Option(help="Take only this view; may be repeated.")] = None,
    modality: Annotated[Several, typer.Option(help="Take only this modality; likewise.")] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The bundle's run: tells its patients, and keeps accesses to a test too."
        ),
    ] = None,
    internal: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="An internal evaluation of it, to compare this one with."),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="Share of positive images where it would be used, for predictive values."
        ),
    ] = None,
    positive: Annotated[
        Several, typer.Option(help="Of a table: a class that is positive; may be repeated.")
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="Of a table: probability from which that, or a finding, is called."),
    ] = None,
    merge: Merge = None,
    truth: Truth = None,
    score: Score = None,
    decision: Decision = None,
    threshold_for: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC=AIM",
            help="Judge the test at a threshold for another aim, as sensitivity=0.95 or "
            "specificity=0.95, fitted on the manifest's val images.",
        ),
    ] = None,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere", help="These may be of a manifest that the model was not trained on."
        ),
    ] = False,
    _template: Template = False,
    named: ModelOption = None,
) -> None:
    """Judge a bundle on labelled images, or a table of predictions.

    Every figure has its interval. Writes predictions.parquet, evaluation.json, report.html and, of
    a bundle, card.json. Each access to a test is noted in test-access.jsonl beside the model.
    """
    model = one_model(model, named)
    if not model.exists():
        raise InputError(
            f"{model} does not exist; a bundle or a table of predictions was expected."
        )
    merged = merges(merge or ())
    if model.suffix.lower() in TABLES:
        if data or split or view or modality or run or internal or threshold_for or elsewhere:
            raise UsageError(
                f"{model} is a table of predictions; --data, --split, --view, --modality, --run, "
                "--internal, --threshold-for and --elsewhere are for a bundle."
            )
        from pulmo.predictions.reading.options import Options

        reading = Options(tuple(positive or ()), threshold, merged, truth, decision, score)
        evaluate_table(model, output, TableOptions(reading, prevalence))
        return
    if model.is_file() and model.suffix.lower() != ".onnx":
        raise UsageError(
            f"{model} is no bundle; a table of predictions ends in {' or '.join(TABLES)}."
        )
    if positive or threshold is not None:
        raise UsageError("A bundle's card says what is positive; leave --positive and --threshold.")
    if truth or score or decision:
        raise UsageError("--truth, --score and --decision name columns of a table; leave them out.")
    if data is None:
        raise UsageError(f"{model} needs images to judge; name their manifest with --data.")
    if threshold_for is not None and split != "test":
        raise UsageError("--threshold-for fits on val and judges the test; add --split test.")
    if elsewhere and threshold_for is None:
        raise UsageError("--elsewhere is for --threshold-for, which is not there.")
    from pulmo.decide.thresholds import Aim

    chosen = Choice(data, split, {"view": view or [], "modality": modality or []})
    aim = None if threshold_for is None else Aim.parse(threshold_for)
    context = _Context(run, internal, prevalence, aim, merged, elsewhere=elsewhere)
    _evaluate_bundle(model, chosen, output, context)


class _Context(NamedTuple):
    """What is known besides the images.

    Attributes:
        run: the bundle's run.
        internal: the folder of an internal evaluation.
        prevalence: share of positive images where the model would be used.
        aim: what the threshold is fitted for; None for the card's.
        merge: label -> class that it counts as, besides those of the card.
        elsewhere: whether it may be fitted on a manifest that the model was not trained on.
    """

    run: Path | None
    internal: Path | None
    prevalence: float | None
    aim: "Aim | None"
    merge: Mapping[str, str]
    elsewhere: bool


def _evaluate_bundle(model: Path, choice: Choice, output: Path, context: _Context) -> None:
    import numpy as np

    from pulmo.bundle.manifest_predictions import predict_manifest
    from pulmo.bundle.origin import check_origin
    from pulmo.core.folders import EvaluationFolder, RunFolder
    from pulmo.datasets.manifest import read_manifest
    from pulmo.decide.validation import check_validation
    from pulmo.evaluate.evaluate import Provenance, Resampling
    from pulmo.evaluate.evaluate import evaluate as compute
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.evaluate.internal_external import compare_internal
    from pulmo.evaluate.test_access import access_of

    predictor = open_model(model)
    card = predictor.card
    card.decision_rule().with_merges(context.merge)  # refused before images are read
    manifest = read_manifest(choice.data)
    chosen = chosen_rows(manifest, choice)
    check_modality(chosen, choice.data, card)
    if context.run is not None:
        check_origin(card, RunFolder(context.run), str(model))
    chosen, voided = unseen_rows(chosen, choice, predictor, context.run)
    internal = _internal(context.internal)
    if context.aim is not None:
        check_validation(card, manifest, elsewhere=context.elsewhere)
    claim_folder(output)
    fitted = None if context.aim is None else fit_on_val(context.aim, predictor, manifest, choice)
    rule = card.decision_rule(fitted).with_merges(context.merge)
    lists = lists_of(model, context.run)
    accesses = record(access_of(predictor, manifest, chosen, choice.split, lists), lists)
    with progress("predicting") as (report,):
        predictions, failed = predict_manifest(predictor, chosen, rule, report)
    predictions.save(EvaluationFolder(output).predictions)
    evaluation = compute(
        predictions,
        Provenance(
            ModelName.from_predictor(predictor),
            chosen.sha256,
            choice.split,
            failed,
            accesses,
            voided,
            [f"The label {label} counts as {name}." for label, name in context.merge.items()],
        ),
        Resampling(np.random.default_rng(0)),
        prevalence=context.prevalence,
    )
    if internal:
        compared = compare_internal(evaluation, internal)
        evaluation = evaluation.model_copy(update={"internal": compared})
    _write(evaluation, predictor, predictions, output)
    tell_evaluation(evaluation, output)
    _tell_notes(evaluation)
    if failed:
        for failure in failed:
            say(failure.reason)
        raise PartialError(f"{len(failed)} of {len(chosen)} images could not be read.")


def _tell_notes(evaluation: "Evaluation") -> None:
    """Says how many images have notes of each kind, but those that are warnings already."""
    from pulmo.radiograph.notes import ABOUT_MODEL

    counts = evaluation.data.image_notes or {}
    about_images = {kind: n for kind, n in counts.items() if kind not in ABOUT_MODEL}
    say_notes(about_images, evaluation.data.n)


def _internal(folder: Path | None) -> "Evaluation | None":
    """Reads the internal evaluation, if one was named."""
    from pulmo.core.folders import EvaluationFolder
    from pulmo.evaluate.evaluation import read_evaluation

    return None if folder is None else read_evaluation(EvaluationFolder(folder).index)


def _write(
    evaluation: "Evaluation", predictor: "Predictor", predictions: "Predictions", output: Path
) -> None:
    """Writes the evaluation as JSON and, with a gallery of the predictions, as a page."""
    from pulmo.core.files import write_atomically
    from pulmo.core.folders import EvaluationFolder
    from pulmo.core.record import write_record
    from pulmo.report.evaluation_page import ReportContent, write_report

    folder = EvaluationFolder(output)
    write_atomically(folder.card, predictor.card.to_json().encode())
    content = ReportContent(evaluation, predictor.card, _gallery(predictor, predictions))
    write_report(folder.page, content)
    write_record(folder.index, evaluation)


def _gallery(predictor: "Predictor", predictions: "Predictions") -> "list[Shown]":
    from pulmo.explain.overlay import draw_pair
    from pulmo.radiograph import read_radiograph
    from pulmo.report.gallery import Shown, select_gallery

    shown = []
    for _, row in select_gallery(predictions).iterrows():
        radiograph = read_radiograph(Path(str(row["path"])))
        outcome = predictor.predict(radiograph)
        card = predictor.card
        image = draw_pair(
            radiograph.pixels,
            outcome.activation[card.labels.order.index(outcome.decision)],
            aspect=card.input.aspect,
            scale=card.activation.scale,
        )
        shown.append(Shown.of(row, card, image))
    return shown
