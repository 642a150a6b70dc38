"""What `pulmo evaluate` prints of an evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pulmo.cli.console import say_notes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pulmo.evaluate.evaluation import Evaluation
    from pulmo.evaluate.multilabel.evaluation import LabelsEvaluation
    from pulmo.stats.estimate import Estimate


def print_evaluation(evaluation: "Evaluation", output: Path) -> None:
    """Prints the values, the warnings and where the page is; on stderr the notes on images."""
    from pulmo.bundle.model_card import point_sentence
    from pulmo.core.folders import EvaluationFolder
    from pulmo.radiograph.notes import ABOUT_MODEL

    data = evaluation.data
    typer.echo(f"{data.n} images in {data.groups} groups")
    _print_values(evaluation.overall)
    widest = max(len(str(metrics["recall"])) for metrics in evaluation.classes.values())
    for label, metrics in evaluation.classes.items():
        recall = str(metrics["recall"])
        typer.echo(f"  Recall of {label:10} {recall:{widest}}  AUC {metrics['auc']}")
    if evaluation.fitted is not None:
        typer.echo(f"{point_sentence(evaluation.fitted)}")
        decision = evaluation.decision
        typer.echo(
            f"  here: sensitivity {decision.sensitivity}, specificity {decision.specificity}"
        )
    for warning in evaluation.warnings:
        typer.echo(f"warning: {warning.text}")
    typer.echo(str(EvaluationFolder(output).page))
    counts = data.image_notes or {}
    # What is noted on the model is a warning already.
    say_notes({kind: n for kind, n in counts.items() if kind not in ABOUT_MODEL}, data.n)


def print_findings(evaluation: "LabelsEvaluation", output: Path) -> None:
    """Prints the values, a line a finding, the warnings and where the page is."""
    from pulmo.core.folders import EvaluationFolder

    typer.echo(
        f"{evaluation.n} images in {evaluation.groups} groups, {len(evaluation.labels)} findings"
    )
    _print_values(evaluation.overall)
    wide = max(len(label) for label in evaluation.labels)
    for label, one in evaluation.labels.items():
        count = f"{one.data.labels[label]:,} of {one.data.n:,}"
        typer.echo(f"  {label:{wide}}  {count:>16}  AUC {one.decision.auc}")
    for warning in evaluation.warnings:
        typer.echo(f"warning: {warning.text}")
    typer.echo(str(EvaluationFolder(output).page))


def _print_values(values: "Mapping[str, Estimate]") -> None:
    from pulmo.report.words import metric_title

    width = max(20, *(len(metric_title(name)) for name in values))
    for name, estimate in values.items():
        typer.echo(f"  {metric_title(name):{width}} {estimate}")
