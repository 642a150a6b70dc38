"""pulmo compare."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.options import Json


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
    as_json: Json = False,
) -> None:
    """Compare models with each other, with a test for each pair.

    A paired test needs the same images. Writes compare.json and compare.html.
    """
    from pulmo.core.folders import ComparisonFolder
    from pulmo.report.comparison_text import comparison_text
    from pulmo.workflows.compare import compare as compute

    comparison = compute(folders, against=against, output=output).comparison
    if as_json:
        typer.echo(comparison.model_dump_json(indent=2))
    else:
        typer.echo(f"{comparison_text(comparison)}\n{ComparisonFolder(output).page}")
