"""pulmo evaluate, of a table of predictions of several findings per image."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import progress
from pulmo.cli.output import claim_folder

if TYPE_CHECKING:
    from pulmo.evaluate.evaluate import Provenance
    from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
    from pulmo.evaluate.multilabel.table import LabelsTable


def evaluate_findings(table: "LabelsTable", provenance: "Provenance", output: Path) -> None:
    """Judges findings one by one and together, writes all of it, and prints a summary.

    The folder of each finding, below `labels`, is an evaluation's own.

    Raises:
        InputError: a file cannot be written.
    """
    import numpy as np

    from pulmo.core.folders import EvaluationFolder
    from pulmo.core.record import write_record
    from pulmo.core.tables import write_predictions
    from pulmo.evaluate.evaluate import Resampling
    from pulmo.evaluate.multilabel.evaluate import evaluate_labels
    from pulmo.report.evaluation_page import ReportContent, write_report
    from pulmo.report.labels_page import label_folders, write_labels_report

    claim_folder(output)
    with progress("judging") as (report,):
        resampling = Resampling(np.random.default_rng(0))
        evaluation = evaluate_labels(table, provenance, resampling, report)
    whole = EvaluationFolder(output)
    write_predictions(table.rows, whole.predictions)
    for label, name in label_folders(evaluation.labels).items():
        own, part = evaluation.labels[label], EvaluationFolder(output / name)
        table.of_label(table.labels.index(label)).save(part.predictions)
        write_report(part.page, ReportContent(own, None))
        write_record(part.index, own)
    write_labels_report(whole.page, evaluation)
    write_record(whole.index, evaluation)
    _tell(evaluation, whole.page)


def _tell(evaluation: "LabelsEvaluation", page: Path) -> None:
    """Prints the figures, a line a finding, the warnings and where the page is."""
    from pulmo.report.words import metric_title

    typer.echo(
        f"{evaluation.n} images in {evaluation.groups} groups, {len(evaluation.labels)} findings"
    )
    width = max(len(metric_title(name)) for name in evaluation.overall)
    for name, estimate in evaluation.overall.items():
        typer.echo(f"  {metric_title(name):{width}}  {estimate}")
    wide = max(len(label) for label in evaluation.labels)
    for label, one in evaluation.labels.items():
        count = f"{one.data.labels[label]:,} of {one.data.n:,}"
        typer.echo(f"  {label:{wide}}  {count:>16}  AUC {one.decision.auc}")
    for sentence in evaluation.warnings:
        typer.echo(f"warning: {sentence}")
    typer.echo(str(page))
