"""pulmo export."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle's folder.")],
) -> None:
    """Make a bundle of a run: one ONNX file and its cards."""
    from pulmo.bundle.export import export_run
    from pulmo.core.run_folder import RunFolder

    card = export_run(RunFolder(run), output)
    typer.echo(f"{output}: {card.name}, {', '.join(card.labels.order)}. {card.notice}")
