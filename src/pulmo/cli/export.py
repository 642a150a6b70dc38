"""pulmo export."""

from pathlib import Path
from typing import Annotated

import typer


def export(
    run: Annotated[Path, typer.Argument(help="A finished run's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The bundle's folder.")],
) -> None:
    """Make a bundle of a run: one ONNX file and its cards."""
    from pulmo.core.begun import check_finished
    from pulmo.core.run_folder import RunFolder

    # Before torch is imported, which takes seconds.
    check_finished(RunFolder(run))

    from pulmo.bundle.export import export_run

    card = export_run(RunFolder(run), output)
    typer.echo(f"{output}: {card.name}, {', '.join(card.labels.order)}. {card.notice}")
