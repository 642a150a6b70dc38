"""pulmo bench."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import print_json
from pulmo.cli.model import OnlyModelOption, named_model
from pulmo.cli.options import Json, takes_options
from pulmo.cli.training import Name
from pulmo.workflows.options.speed import PredictBenchOptions
from pulmo.workflows.options.training import BenchOptions

app = typer.Typer(no_args_is_help=True)


@app.callback()
def _root() -> None:
    """Measure speed on this machine."""


@app.command("train")
@takes_options
def bench_train(
    recipe: Name,
    data: Annotated[
        Path | None, typer.Option(help="The manifest with its split. Default: drawn images.")
    ] = None,
    *,
    options: BenchOptions,
    as_json: Json = False,
) -> None:
    """Compare the speed of training steps with that of a bare loop.

    The bare loop repeats one batch in memory. With `--bound` both are compared with a throughput
    bound: the machine's rate of multiplying float32 matrices over the network's operations. The
    measurements alternate; medians count. A frozen base runs in every step.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.bench import bench, speed_record, speed_text

    report = bench(recipe, None if data is None else read_manifest(data), options)
    if as_json:
        print_json(speed_record(report))
    else:
        typer.echo(speed_text(report))


@app.command("predict")
@takes_options
def bench_predict(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[FILES]",
            help="Images and folders; the first 32 images are used. Default: drawn images.",
        ),
    ] = None,
    model: OnlyModelOption = None,
    *,
    options: PredictBenchOptions,
    as_json: Json = False,
) -> None:
    """Compare how fast files become probabilities, here and in other packages.

    All get the same files and cores, in turn. torchxrayvision (its reader, DenseNet121 and torch),
    our network in plain torch with a DataLoader, and OpenVINO are measured if they are installed
    and can read the files. Maps are the numbers of the class activation map of the class with the
    highest probability, not drawings.
    """
    from pulmo.workflows.bench_predict import bench_predict
    from pulmo.workflows.bench_predict_result import speed_record, speed_text

    report = bench_predict(named_model(model), files or (), options)
    if as_json:
        print_json(speed_record(report))
    else:
        typer.echo(speed_text(report))
