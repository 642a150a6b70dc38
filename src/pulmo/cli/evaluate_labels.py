"""pulmo evaluate, of a table of predictions of several findings a film."""

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
    write_predictions(table.rows, output / "predictions.parquet")
    for label, folder in label_folders(evaluation.labels).items():
        own = evaluation.labels[label]
        table.of_label(table.labels.index(label)).save(output / folder / "predictions.parquet")
        write_record(output / folder / "evaluation.json", own)
        write_report(output / folder / "report.html", ReportContent(own, None))
    write_record(output / "evaluation.json", evaluation)
    write_labels_report(output / "report.html", evaluation)
    _tell(evaluation, output)


def _tell(evaluation: "LabelsEvaluation", output: Path) -> None:
    """Prints the figures, a line a finding, the warnings and where the page is."""
    from pulmo.report.words import metric_title

    typer.echo(
        f"{evaluation.n} pictures in {evaluation.groups} groups, {len(evaluation.labels)} findings"
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
    typer.echo(f"{output / 'report.html'}")
