"""pulmo compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pulmo.report.comparison import Comparison, Entrant, PairedTest
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
    """Compare models side by side, and test them pair by pair on the same images.

    Writes compare.json and compare.html.
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

    entrants = comparison.entrants
    names = list(dict.fromkeys(name for entrant in entrants for name in entrant.figures))
    heading = ["Model", "n", "Recipe", "Network", "Weights", "Epochs", "Minutes"]
    typer.echo(markdown_table([heading, *(_model(entrant) for entrant in entrants)]))
    rows = [
        [metric_title(name), *(_figure(entrant.figures.get(name)) for entrant in entrants)]
        for name in names
    ]
    typer.echo(markdown_table([["Figure", *(entrant.name for entrant in entrants)], *rows]))
    for test in comparison.tests:
        typer.echo(_sentence(test))
    for note in comparison.notes:
        typer.echo(note)


def _model(entrant: "Entrant") -> list[str]:
    return [
        entrant.name,
        f"{entrant.n:,}",
        entrant.recipe or "-",
        entrant.backbone or "-",
        "-" if entrant.parameters is None else f"{entrant.parameters:,}",
        "-" if entrant.epochs is None else f"{entrant.epochs:g}",
        "-" if entrant.minutes is None else f"{entrant.minutes:.1f}",
    ]


def _figure(estimate: "Estimate | None") -> str:
    if estimate is None or estimate.value is None:
        return "-"
    return f"{estimate.value:.3f}" if estimate.low is None else str(estimate)


def _sentence(test: "PairedTest") -> str:
    """Gives a test as a line."""
    from pulmo.report.words import metric_title

    difference = test.difference
    figure = f"{metric_title(test.figure)} of {test.of}"
    if difference.value is None or test.p is None or test.p_holm is None:
        return f"{test.name} - {test.against}: {figure} undefined ({difference.reason})"
    interval = (
        f"{difference.low:+.3f} to {difference.high:+.3f}"
        if difference.low is not None and difference.high is not None
        else f"no interval: {difference.reason}"
    )
    return (
        f"{test.name} - {test.against}: {figure} {difference.value:+.3f} ({interval}), p "
        f"{_p(test.p)}, corrected {_p(test.p_holm)} ({test.test}, n = {difference.n:,})"
    )


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"
