"""pulmo bench."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json
from pulmo.cli.training import Device, Name, Quick, Settings, Threads

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Measure speed on this machine."""


@app.command("train")
def bench_train(
    recipe: Name,
    data: Annotated[
        Path | None, typer.Option(help="The manifest with its split. Default: drawn images.")
    ] = None,
    settings: Settings = None,
    quick: Quick = False,
    steps: Annotated[int, typer.Option(help="Steps of one measurement.", min=1)] = 8,
    rounds: Annotated[int, typer.Option(help="Repetitions of each measurement.", min=1)] = 5,
    precisions: Annotated[
        bool, typer.Option("--precisions", help="Measure fp32 and bf16, and whether bf16 pays.")
    ] = False,
    bound: Annotated[
        bool, typer.Option("--bound", help="Measure what the machine's multiplications allow.")
    ] = False,
    device: Device = "auto",
    threads: Threads = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare the speed of training steps with that of a bare loop.

    The bare loop repeats one batch in memory. With `--bound` both are compared with a throughput
    bound: the machine's rate of multiplying float32 matrices over the network's operations. The
    measurements alternate; medians count. A frozen base runs in every step.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.bench import BenchOptions, bench, speed_record, speed_text

    options = BenchOptions(
        settings=tuple(settings or ()),
        quick=quick,
        steps=steps,
        rounds=rounds,
        precisions=precisions,
        bound=bound,
        device=device,
        threads=threads,
    )
    report = bench(recipe, None if data is None else read_manifest(data), options)
    if as_json:
        print_json(speed_record(report))
    else:
        typer.echo(speed_text(report))
