"""What `pulmo evaluate` prints of an evaluation."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from pulmo.evaluate.evaluation import Evaluation


def tell_evaluation(evaluation: "Evaluation", output: Path) -> None:
    """Prints the figures, the warnings and where the page is."""
    from pulmo.bundle.model_card import point_sentence
    from pulmo.report.words import metric_title

    data = evaluation.data
    typer.echo(f"{data.n} images in {data.groups} groups")
    for name, estimate in evaluation.overall.items():
        typer.echo(f"  {metric_title(name):20} {estimate}")
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
    for sentence in evaluation.warnings:
        typer.echo(f"warning: {sentence}")
    typer.echo(f"{output / 'report.html'}")
