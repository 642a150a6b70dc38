"""pulmo compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pulmo.report.comparison import ComparedModel, Comparison, PairedTest
    from pulmo.stats.estimate import Estimate


def compare(
    folders: Annotated[
        list[Path],
        typer.Argument(
            metavar="DIR...",
            help="Two or more folders of evaluations, runs, or repeats over folds or seeds.",
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for the results.")],
    against: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Test the others against this one of them. Default: the first."
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object. Default: tables for people.")
    ] = False,
) -> None:
    """Compare models with each other, with a test for each pair.

    A paired test needs the same images. Writes compare.json and compare.html.
    """
    from pulmo.core.folders import ComparisonFolder
    from pulmo.workflows.compare import compare as compute

    comparison = compute(folders, against=against, output=output).comparison
    if as_json:
        typer.echo(comparison.model_dump_json(indent=2))
        return
    _print(comparison)
    typer.echo(f"{ComparisonFolder(output).page}")


def _print(comparison: "Comparison") -> None:
    from pulmo.report.markdown import markdown_table
    from pulmo.report.words import metric_title

    models = comparison.models
    names = list(dict.fromkeys(name for model in models for name in model.metrics))
    heading = ["Model", "n", "Recipe", "Network", "Weights", "Epochs", "Minutes"]
    typer.echo(markdown_table([heading, *(_model(model) for model in models)]))
    rows = [
        [metric_title(name), *(_value(model.metrics.get(name)) for model in models)]
        for name in names
    ]
    typer.echo(markdown_table([["Metric", *(model.name for model in models)], *rows]))
    for test in comparison.tests:
        typer.echo(_sentence(test))
    for note in comparison.notes:
        typer.echo(note)


def _model(model: "ComparedModel") -> list[str]:
    return [
        model.name,
        f"{model.n:,}",
        model.recipe or "-",
        model.backbone or "-",
        "-" if model.parameters is None else f"{model.parameters:,}",
        "-" if model.epochs is None else f"{model.epochs:g}",
        "-" if model.minutes is None else f"{model.minutes:.1f}",
    ]


def _value(estimate: "Estimate | None") -> str:
    if estimate is None or estimate.value is None:
        return "-"
    return f"{estimate.value:.3f}" if estimate.low is None else str(estimate)


def _sentence(test: "PairedTest") -> str:
    """Gives a test as a line."""
    from pulmo.report.words import metric_title

    difference = test.difference
    metric = f"{metric_title(test.metric)} of {test.of}"
    if difference.value is None or test.p is None or test.p_holm is None:
        return f"{test.name} - {test.against}: {metric} undefined ({difference.reason})"
    interval = (
        f"{difference.low:+.3f} to {difference.high:+.3f}"
        if difference.low is not None and difference.high is not None
        else f"no interval: {difference.reason}"
    )
    return (
        f"{test.name} - {test.against}: {metric} {difference.value:+.3f} ({interval}), p "
        f"{_p(test.p)}, corrected {_p(test.p_holm)} ({test.test}, n = {difference.n:,})"
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
