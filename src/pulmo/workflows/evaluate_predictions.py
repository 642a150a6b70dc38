"""Evaluate: a table of any model's predictions, without the model."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

import pandas as pd

from pulmo.core.errors import UsageError
from pulmo.core.files import sha256
from pulmo.evaluate.evaluate import Provenance
from pulmo.evaluate.evaluation import ModelName
from pulmo.evaluate.multilabel.evaluate import evaluate_labels
from pulmo.evaluate.multilabel.table import labels_table
from pulmo.predictions.external import external_predictions
from pulmo.predictions.reading.options import Options
from pulmo.predictions.reading.recognise import Recognised, recognise
from pulmo.predictions.reading.table_file import TableFile, read_table
from pulmo.workflows.evaluation_report import EvaluationReport, report_of, resampling
from pulmo.workflows.findings_report import FindingsReport
from pulmo.workflows.options.evaluation import TableOptions
from pulmo.workflows.progress import OnProgress, no_progress, of_stage

EVALUATING: Final = "evaluating"
"""The stage of an evaluation of several findings: so many findings are done."""

PredictionTable = pd.DataFrame | str | os.PathLike[str]
"""A table of predictions, or its file: .csv, .tsv, .txt, .xlsx or .parquet."""


DEFAULTS: Final = TableOptions()


AnyReport = TypeVar("AnyReport", EvaluationReport, FindingsReport)


def evaluate_predictions(
    table: PredictionTable,
    *,
    positive: Sequence[str] = (),
    groups: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: TableOptions = DEFAULTS,
) -> EvaluationReport:
    """Evaluates a table of predictions of one class an image.

    Args:
        table: a row an image: its `path`, its `label` and the probability `p_<class>` of each
            class, and what else is known. Other names of columns are read where they are plain.
        positive: the classes that count as positive; those of the options if there are none.
        groups: the column that says which images belong together, such as that of the patient;
            that of the options if it is None.
        output: the folder for predictions, values and page; None writes none of them.
        options: what else the columns do not say.

    Raises:
        InputError: the table cannot be read or evaluated, or a file cannot be written.
        UsageError: an option does not fit the table, or it has several findings per image.
    """
    options = replace(
        options,
        positive=tuple(positive) or options.positive,
        group=groups or options.group,
    )
    found, model = read_predictions_of(table, options)
    if found.findings:
        raise UsageError(
            "predictions-several-findings",
            "The table has several findings per image (its y_ columns). They are evaluated "
            "together: `pulmo.evaluate_findings`.",
        )
    return _saved(_evaluate_classes(found, model, options), output)


def evaluate_findings(
    table: PredictionTable,
    *,
    groups: str | None = None,
    output: str | os.PathLike[str] | None = None,
    options: TableOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> FindingsReport:
    """Evaluates a table of predictions of several findings per image: each, and all together.

    Args:
        table: a row an image: its `path`, and `y_<finding>` and `p_<finding>` of each finding.
        groups: as in `evaluate_predictions`.
        output: the folder for predictions, values and pages; None writes none of them.
        options: what else the columns do not say.
        on_progress: called with a stage, the findings done and the findings in all.

    Raises:
        InputError: the table cannot be read or evaluated, or a file cannot be written.
        UsageError: an option does not fit the table, or it has one class an image.
    """
    options = replace(options, group=groups or options.group)
    found, model = read_predictions_of(table, options)
    if not found.findings:
        raise UsageError(
            "predictions-one-class",
            "The table has one class an image, and no y_ columns of several findings. It is "
            "evaluated with `pulmo.evaluate_predictions`.",
        )
    return _saved(_evaluate_findings(found, model, options, on_progress), output)


def evaluate_table(
    table: PredictionTable,
    *,
    output: str | os.PathLike[str] | None = None,
    options: TableOptions = DEFAULTS,
    on_progress: OnProgress = no_progress,
) -> EvaluationReport | FindingsReport:
    """Evaluates a table of predictions, whichever of the two it is.

    It is read once, and then evaluated as `evaluate_predictions` or `evaluate_findings` does; the
    arguments and errors are theirs.
    """
    found, model = read_predictions_of(table, options)
    if found.findings:
        return _saved(_evaluate_findings(found, model, options, on_progress), output)
    return _saved(_evaluate_classes(found, model, options), output)


def read_predictions_of(table: PredictionTable, reading: Options) -> tuple[Recognised, ModelName]:
    """Returns a table with pulmo's columns, and what its model is called.

    Raises:
        InputError: it cannot be read, or is no table of predictions.
        UsageError: an option does not fit it.
    """
    if isinstance(table, pd.DataFrame):
        digest = sha256(table.to_csv(index=False).encode())
        name = ModelName(name="predictions", version="predictions", sha256=digest)
        return recognise(TableFile(table.reset_index(drop=True), decimal_comma=True), reading), name
    path = Path(table)
    return recognise(read_table(path), reading), ModelName.from_table(path)


def _evaluate_classes(
    found: Recognised, model: ModelName, options: TableOptions
) -> EvaluationReport:
    if options.prevalence is not None and not options.positive:
        raise UsageError(
            "prevalence-without-positive",
            "A prevalence is the share of the positive classes, but no class is named as positive.",
        )
    external = external_predictions(found, options.threshold, options.merge)
    provenance = Provenance(model, model.sha256, notes=external.notes)
    return report_of(external.checked(), provenance, options.prevalence)


def _evaluate_findings(
    found: Recognised, model: ModelName, options: TableOptions, on_progress: OnProgress
) -> FindingsReport:
    _check_findings(options)
    table = labels_table(found.table, options.threshold)
    provenance = Provenance(model, model.sha256, notes=found.notes)
    progress = of_stage(on_progress, EVALUATING)
    return FindingsReport(evaluate_labels(table, provenance, resampling(), progress), table)


def _saved(report: AnyReport, output: str | os.PathLike[str] | None) -> AnyReport:
    if output is not None:
        report.save(output)
    return report


def _check_findings(options: TableOptions) -> None:
    """Refuses options that are for a table of one class an image.

    Raises:
        UsageError: there is one.
    """
    stated = {
        "a positive class": options.positive,
        "a prevalence": options.prevalence,
        "a label that counts as a class": options.merge,
        "a column of the true class": options.truth,
        "a column of probabilities": options.score,
        "a column of decisions": options.decision,
    }
    for name, value in stated.items():
        if value:
            raise UsageError(
                "option-not-applicable",
                f"The table has several findings per image (its y_ columns), but {name} is only "
                "for a table of one class per image. Leave it out.",
            )
