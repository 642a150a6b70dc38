"""pulmo evaluate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import say, staged
from pulmo.cli.evaluate_summary import print_evaluation, print_findings
from pulmo.cli.model import ModelOption, check_exists, one_model, open_model, refuse, result_folder
from pulmo.cli.table_options import (
    TABLES,
    Columns,
    Decision,
    Groups,
    Merge,
    Positive,
    Score,
    Threshold,
    Truth,
    merges,
    reading_of,
    say_reading,
)
from pulmo.cli.table_template import Template
from pulmo.core.errors import PartialError, UsageError

if TYPE_CHECKING:
    from pulmo.workflows.evaluate_predictions import TableOptions
    from pulmo.workflows.evaluation_images import EvaluateOptions

Several = list[str] | None


def evaluate(
    model: Annotated[
        Path | None,
        typer.Argument(
            metavar="BUNDLE|PREDICTIONS",
            help="A bundle's folder, its model.onnx, or a table of any model's predictions (.csv, "
            ".tsv, .txt, .xlsx, .parquet).",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="The folder for the results. Default: evaluation-NAME, if free."
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(metavar="MANIFEST", help="The images to evaluate a bundle on."),
    ] = None,
    split: Annotated[
        str | None, typer.Option(help="Evaluate only this split of them. Default: all images.")
    ] = None,
    view: Annotated[
        Several, typer.Option(help="Evaluate only this view; may be repeated. Default: all.")
    ] = None,
    modality: Annotated[
        Several, typer.Option(help="Evaluate only this modality; may be repeated. Default: all.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="The training run of the bundle. Images of its patients take no part, and it "
            "records each access to a test too. Default: the bundle alone."
        ),
    ] = None,
    internal: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The folder of an internal evaluation of the bundle to compare this one with. "
            "Default: no comparison.",
        ),
    ] = None,
    prevalence: Annotated[
        float | None,
        typer.Option(
            help="The share of positive images where the model would be used, for predictive "
            "values. Default: no predictive values at a stated prevalence."
        ),
    ] = None,
    threshold_for: Annotated[
        str | None,
        typer.Option(
            metavar="METRIC=AIM",
            help="Evaluate the test at a threshold that the validation images reach this aim "
            "with, such as sensitivity=0.95. Default: the threshold of the card.",
        ),
    ] = None,
    elsewhere: Annotated[
        bool,
        typer.Option(
            "--elsewhere",
            help="Let --threshold-for use a manifest that the model was not trained on. Default: "
            "refuse it.",
        ),
    ] = False,
    positive: Positive = None,
    threshold: Threshold = None,
    merge: Merge = None,
    truth: Truth = None,
    score: Score = None,
    decision: Decision = None,
    groups: Groups = None,
    _template: Template = False,
    named: ModelOption = None,
) -> None:
    """Evaluate a bundle on images, or a table of predictions.

    Each value has its 95 % interval. Writes predictions.parquet, evaluation.json, report.html and,
    for a bundle, card.json. Each access to a test is recorded in test-access.jsonl next to the
    bundle.
    """
    model = one_model(model, named)
    check_exists(model, "a bundle or a table of predictions")
    merged = merges(merge or ())
    of_bundle = {
        "--data": data, "--split": split, "--view": view, "--modality": modality, "--run": run,
        "--internal": internal, "--threshold-for": threshold_for, "--elsewhere": elsewhere or None,
    }  # fmt: skip
    of_table = {
        "--positive": positive, "--threshold": threshold, "--truth": truth, "--score": score,
        "--decision": decision, "--groups": groups,
    }  # fmt: skip
    if model.suffix.lower() in TABLES:
        refuse(of_bundle, "a table of predictions", "a bundle")
        from pulmo.workflows.evaluate_predictions import TableOptions

        reading = reading_of(positive, threshold, merged, Columns(truth, decision, score, groups))
        _evaluate_table(model, output, TableOptions(reading, prevalence))
        return
    if model.is_file() and model.suffix.lower() != ".onnx":
        raise UsageError(
            "bundle-expected", f"{model} is neither a bundle nor a table ({', '.join(TABLES)})."
        )
    refuse(of_table, "a bundle", "a table of predictions")
    if data is None:
        raise UsageError(
            "manifest-not-given",
            f"{model} is a bundle, and its images are missing: add --data MANIFEST.",
        )
    if elsewhere and threshold_for is None:
        raise UsageError(
            "option-needs-another", "--elsewhere is for --threshold-for, which is missing."
        )
    from pulmo.decide.thresholds import Aim
    from pulmo.workflows.evaluation_images import EvaluateOptions

    options = EvaluateOptions(
        views=tuple(view or ()),
        modalities=tuple(modality or ()),
        run=run,
        internal=internal,
        prevalence=prevalence,
        aim=None if threshold_for is None else Aim.parse(threshold_for),
        other_manifest=elsewhere,
        merge=merged,
    )
    _evaluate_bundle(model, data, output, split, options)


def _evaluate_bundle(
    path: Path, data: Path, output: Path | None, split: str | None, options: "EvaluateOptions"
) -> None:
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.evaluate import PREDICTING, VALIDATION, evaluate

    model, manifest = open_model(path), read_manifest(data)
    folder = result_folder(output, "evaluation", path)
    with staged(VALIDATION, PREDICTING) as progress:
        report = evaluate(
            model, manifest, split=split, output=folder, options=options, on_progress=progress
        )
    for notice in report.notices:
        say(notice)
    print_evaluation(report.evaluation, folder)
    for failure in report.failed:
        say(failure.reason)
    if report.failed:
        total = len(report.predictions) + len(report.failed)
        raise PartialError(
            "some-files-failed", f"{len(report.failed)} of {total} images could not be read."
        )


def _evaluate_table(path: Path, output: Path | None, options: "TableOptions") -> None:
    from pulmo.workflows.evaluate_predictions import (
        EVALUATING,
        FindingsReport,
        evaluate_predictions,
    )

    folder = result_folder(output, "evaluation", path)
    with staged(EVALUATING) as progress:
        report = evaluate_predictions(path, output=folder, options=options, on_progress=progress)
    if isinstance(report, FindingsReport):
        print_findings(report.evaluation, folder)
    else:
        print_evaluation(report.evaluation, folder)
    say_reading(report.evaluation.notes)
