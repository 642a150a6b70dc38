"""pulmo evaluate."""

from pathlib import Path
from typing import Annotated, Final

import typer

from pulmo.cli.console import say_lines, staged
from pulmo.cli.evaluation_text import print_report
from pulmo.cli.model import ModelOption, check_fit, images_of, one_model, open_model, result_folder
from pulmo.cli.options import flags_given, flags_used, takes_options
from pulmo.core.errors import PartialError
from pulmo.workflows.options.evaluation import EvaluateOptions, TableOptions

_BOTH: Final = ("merge", "prevalence")
"""The options of a bundle and of a table alike."""

_TEMPLATE: Final = """\
path,label,p_covid,p_normal,patient,source,view,sex,age
images/0001.png,covid,0.93,0.07,p17,North Hospital,PA,F,64
images/0002.png,normal,0.12,0.88,p18,North Hospital,AP,M,41"""


def _print_template(*, wanted: bool) -> None:
    """Prints a table with two rows, and ends."""
    if wanted:
        typer.echo(_TEMPLATE)
        raise typer.Exit


@takes_options
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
    *,
    options: Annotated[EvaluateOptions, "For a bundle:"],
    table: Annotated[TableOptions, "For a table:"],
    _template: Annotated[
        bool,
        typer.Option(
            "--template",
            callback=_print_template,
            is_eager=True,
            help="Print a table of predictions with two rows, to fill in, and end.",
        ),
    ] = False,
    named: ModelOption = None,
) -> None:
    """Evaluate a bundle on images, or a table of predictions.

    Each value has its 95 % interval. Writes predictions.parquet, evaluation.json, report.html and,
    for a bundle, card.json. Each access to a test is recorded in test-access.jsonl next to the
    bundle.
    """
    from pulmo.workflows.model_kind import kind_of

    model = one_model(model, named)
    kind = kind_of(model)
    of_bundle = [*flags_given({"--data": data, "--split": split}), *flags_used(options, _BOTH)]
    check_fit(kind, {"bundle": of_bundle, "folds": of_bundle, "table": flags_used(table, _BOTH)})
    folder = result_folder(output, "evaluation", model)
    if kind == "table":
        _evaluate_table(model, folder, table)
    else:
        _evaluate_bundle(model, data, split, folder, options)


def _evaluate_bundle(
    path: Path, data: Path | None, split: str | None, folder: Path, options: EvaluateOptions
) -> None:
    manifest, model = images_of(data, path), open_model(path)
    from pulmo.workflows.evaluate import PREDICTING, VALIDATION, evaluate

    with staged(VALIDATION, PREDICTING) as progress:
        report = evaluate(
            model, manifest, split=split, output=folder, options=options, on_progress=progress
        )
    say_lines(report.notices)
    print_report(report, folder)
    say_lines(failure.reason for failure in report.failed)
    if report.failed:
        total = len(report.predictions) + len(report.failed)
        raise PartialError(
            "some-files-failed", f"{len(report.failed)} of {total} images could not be read."
        )


def _evaluate_table(path: Path, folder: Path, options: TableOptions) -> None:
    from pulmo.workflows.evaluate_predictions import EVALUATING, evaluate_table

    with staged(EVALUATING) as progress:
        report = evaluate_table(path, output=folder, options=options, on_progress=progress)
    print_report(report, folder)
    say_lines(report.evaluation.notes, "note")
