"""What the command prints of an evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import say_notes

if TYPE_CHECKING:
    from pulmo.workflows.evaluate_predictions import FindingsReport
    from pulmo.workflows.evaluation_report import EvaluationReport


def print_report(report: "EvaluationReport | FindingsReport", folder: Path) -> None:
    """Prints the values, the warnings and where the page is; on stderr the notes on images."""
    from pulmo.core.folders import EvaluationFolder
    from pulmo.workflows.evaluation_report import EvaluationReport

    typer.echo(f"{report.text()}\n{EvaluationFolder(folder).page}")
    if isinstance(report, EvaluationReport):
        say_notes(report.image_notes, report.evaluation.data.n)
