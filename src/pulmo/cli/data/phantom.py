"""pulmo data phantom."""

from typing import Annotated

import typer

from pulmo.cli.console import progress
from pulmo.cli.data.options import Folder, Seed


def phantom(
    output: Folder,
    count: Annotated[int, typer.Option(help="How many images.", min=1)] = 400,
    seed: Seed = 0,
) -> None:
    """Draw chest X-rays to try things on; `pulmo data import csv` reads them."""
    from pulmo.datasets.phantom import write_phantoms

    with progress("drawing images") as (report,):
        table = write_phantoms(output, count, seed, on_progress=lambda done: report(done, count))
    typer.echo(f"{table}: {count} images")
