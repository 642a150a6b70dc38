"""pulmo card."""

from pathlib import Path
from typing import Annotated

import typer


def card(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The manifest that the model was trained on. Default: not given."),
    ] = None,
    evaluation: Annotated[
        list[Path] | None,
        typer.Option(metavar="DIR", help="An evaluation of the bundle. Repeatable."),
    ] = None,
    audit: Annotated[
        Path | None, typer.Option(help="The folder of the bundle's audit. Default: not given.")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="The run that the bundle was exported from. Default: not given."),
    ] = None,
) -> None:
    """Fill in a datasheet, CLAIM and TRIPOD+AI from files.

    What no file states is marked as a gap, with what to write. Writes DATASHEET.md, CLAIM.md and
    TRIPOD-AI.md; the bundle has a MODEL_CARD.md of its own.
    """
    from pulmo.checklists.reading import Places
    from pulmo.workflows.card import write_card

    for written in write_card(Places(bundle, data, run, evaluation or (), audit), output):
        typer.echo(f"{written.path}: {written.tally}")
