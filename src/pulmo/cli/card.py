"""pulmo card."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.model import ModelOption, one_model
from pulmo.cli.options import Output, takes_options
from pulmo.workflows.options.evaluation import CardOptions


@takes_options
def card(
    output: Output,
    bundle: Annotated[
        Path | None, typer.Argument(metavar="BUNDLE", help="The bundle's folder.")
    ] = None,
    *,
    options: CardOptions,
    named: ModelOption = None,
) -> None:
    """Fill in a datasheet, CLAIM and TRIPOD+AI from files.

    What no file states is marked as a gap, with what to write. Writes DATASHEET.md, CLAIM.md and
    TRIPOD-AI.md; the bundle has a MODEL_CARD.md of its own.
    """
    from pulmo.workflows.card import write_card

    for written in write_card(one_model(bundle, named), output, options):
        typer.echo(f"{written.path}: {written.tally}")
