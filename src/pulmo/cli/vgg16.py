"""pulmo-vgg16: the recipe `vgg16-cli` on a folder of images, by a published script's flags."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress, say, say_notes
from pulmo.cli.exits import run_command
from pulmo.cli.training import training_progress
from pulmo.core.errors import PartialError

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main() -> None:
    """Runs the command and exits with its status."""
    run_command(app, "pulmo-vgg16")


@app.command()
def vgg16(
    dataset: Annotated[
        Path, typer.Option("--dataset", "-d", help="A folder with a folder covid and one normal.")
    ],
    plot: Annotated[
        Path, typer.Option("--plot", "-p", help="The learning curves; an old PNG is replaced.")
    ] = Path("plot.png"),
    model: Annotated[
        Path, typer.Option("--model", "-m", help="The folder of the model, which must be new.")
    ] = Path("covid19.model"),
    learning: Annotated[
        float, typer.Option("--learning", "-lr", help="The first learning rate.")
    ] = 1e-3,
    epoch: Annotated[int, typer.Option("--epoch", "-e", help="How many epochs.", min=1)] = 25,
    batchsize: Annotated[int, typer.Option("--batchsize", "-bs", help="Images a step.", min=2)] = 8,
    weights: Annotated[
        Path | None,
        typer.Option(
            help="A safetensors file of ImageNet weights of VGG16. Default: timm's, downloaded."
        ),
    ] = None,
    scratch: Annotated[
        bool,
        typer.Option("--from-scratch", help="Start from random weights; all layers learn then."),
    ] = False,
) -> None:
    """Train VGG16 on images of covid and normal, and test it. For research, not diagnosis.

    A fifth of the images is the test and a fifth chooses the epoch; copies stay on one side. Adam's
    rate falls by 1 / (1 + step * rate / epochs). Prints a classification report, the confusion
    matrix and accuracy, sensitivity and specificity with their 95 % intervals; writes the curves
    and the model. The model is for `pulmo predict --model`.
    """
    from pulmo.core.noted import count_kinds
    from pulmo.workflows.vgg16 import (
        Vgg16Options,
        check_places,
        read_images,
        result_text,
        train_vgg16,
    )

    options = Vgg16Options(plot, model, learning, epoch, batchsize, weights, scratch)
    start = check_places(dataset, options)
    with progress("reading images") as (reading,):
        manifest, problems = read_images(dataset, options.recipe(), reading)
    say_notes(count_kinds(manifest.frame["notes"]), len(manifest))
    for problem in problems:
        say(f"{problem.path}: {problem.reason}")
    say(f"VGG16 starts {start}.")
    with training_progress() as callbacks:
        done = train_vgg16(manifest, options, start, callbacks)
    typer.echo(result_text(done))
    typer.echo(f"VGG16 started {start}.\n{plot}\n{model}")
    if problems:
        raise PartialError(
            "some-files-failed", f"{len(problems)} files could not be used; the rest was."
        )
