"""pulmo reproduce."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json, progress
from pulmo.cli.training import (
    Device,
    Output,
    Settings,
    Threads,
    training_progress,
)


def reproduce(
    name: Annotated[str, typer.Argument(help="A system, such as capstone.")],
    output: Output,
    data: Annotated[Path, typer.Option(help="The folder that holds the public data sets.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only", metavar="RUN", help="One run of the system. Repeatable. Default: all runs."
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Take each recipe's cheaper variant.")
    ] = False,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A folder of ImageNet weights, NETWORK.safetensors. Default: timm's, downloaded."
        ),
    ] = None,
    scratch: Annotated[
        bool,
        typer.Option(
            "--from-scratch",
            help="Start networks without a file in that folder from random weights.",
        ),
    ] = False,
    settings: Settings = None,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a published system again and compare the results.

    Repeated with the same output, it continues where it stopped.
    """
    from pulmo.datasets.curate import CurationProgress
    from pulmo.reproduce.options import ReadingProgress, ReproduceOptions
    from pulmo.workflows.reproduce import reproduce as reproduce_system

    options = ReproduceOptions(
        only=tuple(only or ()),
        quick=quick,
        weights=weights,
        settings=tuple(settings or ()),
        device=device,
        from_scratch=scratch,
        threads=threads,
    )
    stages = ("importing", "reading images", "comparing pairs")
    with progress(*stages) as (imported, *curation), training_progress() as callbacks:
        reading = ReadingProgress(imported, CurationProgress(*curation))
        done = reproduce_system(name, data, output, options, callbacks, reading)
    if as_json:
        print_json([outcome.model_dump(mode="json") for outcome in done.outcomes])
    else:
        typer.echo(f"{done.text}\n{done.file}")
