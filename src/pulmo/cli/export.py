"""pulmo export."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pulmo.cli.console import chosen_output


def export(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The bundle's folder. Default: RUN-bundle."),
    ] = None,
    weight_format: Annotated[
        Literal["fp32", "fp16", "int8"],
        typer.Option(
            help="How the weights are stored. fp16 halves the file; int8 makes it a quarter, with "
            "a scale for each channel. The network computes in float32 all the same. Compare both "
            "bundles with pulmo evaluate."
        ),
    ] = "fp32",
) -> None:
    """Make a bundle of a run: one ONNX file and its cards."""
    from pulmo.core.begun import check_finished
    from pulmo.core.folders import RunFolder
    from pulmo.workflows.export import default_bundle
    from pulmo.workflows.export import export as export_run

    check_finished(RunFolder(run))
    output = chosen_output(output, default_bundle(run))
    card = export_run(run, output, weight_format).card
    typer.echo(f"{output}: {card.name}, {', '.join(card.labels.order)}. {card.notice}")
