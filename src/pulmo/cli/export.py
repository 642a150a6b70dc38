"""pulmo export."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import chosen_output


def export(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The bundle's folder; RUN-bundle, if not given."),
    ] = None,
) -> None:
    """Make a bundle of a run: one ONNX file and its cards."""
    from pulmo.core.begun import check_finished
    from pulmo.core.folders import RunFolder

    # Before torch is imported, which takes seconds.
    check_finished(RunFolder(run))
    output = chosen_output(output, run.with_name(f"{run.resolve().name}-bundle"))

    from pulmo.bundle.export import export_run

    card = export_run(RunFolder(run), output)
    typer.echo(f"{output}: {card.name}, {', '.join(card.labels.order)}. {card.notice}")
