"""pulmo data phantom."""

from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.options import Output


def phantom(
    output: Output,
    count: Annotated[int, typer.Option(help="How many images.", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of the random draw.", min=0)] = 0,
) -> None:
    """Draw chest X-rays to try things on; `pulmo data import csv` reads them."""
    from pulmo.datasets.phantom import write_phantoms

    with progress("drawing images") as (report,):
        table = write_phantoms(output, count, seed, on_progress=lambda done: report(done, count))
    typer.echo(f"{table}: {count} images")
