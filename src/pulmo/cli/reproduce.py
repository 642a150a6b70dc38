"""pulmo reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, progress
from pulmo.cli.options import Json, Output, takes_options
from pulmo.cli.training import training_progress
from pulmo.reproduce.options import ReproduceOptions


@takes_options
def reproduce(
    name: Annotated[str, typer.Argument(help="A system, such as capstone.")],
    output: Output,
    data: Annotated[Path, typer.Option(help="The folder that holds the public data sets.")],
    options: ReproduceOptions,
    *,
    as_json: Json = False,
) -> None:
    """Train a published system again and compare the results.

    Repeated with the same output, it continues where it stopped.
    """
    from pulmo.datasets.curate import CurationProgress
    from pulmo.reproduce.reading_progress import ReadingProgress
    from pulmo.workflows.reproduce import reproduce as reproduce_system

    stages = ("importing", "reading images", "comparing pairs")
    with progress(*stages) as (imported, *curation), training_progress() as callbacks:
        reading = ReadingProgress(imported, CurationProgress(*curation))
        done = reproduce_system(name, data, output, options, callbacks, reading)
    if as_json:
        print_json([outcome.model_dump(mode="json") for outcome in done.outcomes])
    else:
        typer.echo(f"{done.text}\n{done.file}")
