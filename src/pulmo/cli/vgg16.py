"""pulmo-vgg16: the recipe `vgg16-cli` on a folder of images, by a published script's flags."""

from pathlib import Path
from typing import Annotated

import typer

from pulmo.cli.console import progress, say, say_lines, say_notes
from pulmo.cli.exits import run_command
from pulmo.cli.options import takes_options
from pulmo.cli.training import training_progress
from pulmo.core.errors import PartialError
from pulmo.workflows.options.training import Vgg16Options

app = typer.Typer(add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)


def main() -> None:
    """Runs the command and exits with its status."""
    run_command(app, "pulmo-vgg16")


@app.command()
@takes_options
def vgg16(
    dataset: Annotated[
        Path, typer.Option("--dataset", "-d", help="A folder with a folder covid and one normal.")
    ],
    options: Vgg16Options,
) -> None:
    """Train VGG16 on images of covid and normal, and test it. For research, not diagnosis.

    A fifth of the images is the test and a fifth chooses the epoch; copies stay on one side. Adam's
    rate falls by 1 / (1 + step * rate / epochs). Prints a classification report, the confusion
    matrix and accuracy, sensitivity and specificity with their 95 % intervals; writes the curves
    and the model. The model is for `pulmo predict --model`.
    """
    from pulmo.core.noted import count_kinds
    from pulmo.workflows import vgg16 as script

    start = script.check_places(dataset, options)
    with progress("reading images") as (reading,):
        manifest, problems = script.read_images(dataset, script.recipe_of(options), reading)
    say_notes(count_kinds(manifest.frame["notes"]), len(manifest))
    say_lines(f"{problem.path}: {problem.reason}" for problem in problems)
    say(f"VGG16 starts {start}.")
    with training_progress() as callbacks:
        done = script.train_vgg16(manifest, options, start, callbacks)
    typer.echo(script.result_text(done))
    typer.echo(f"VGG16 started {start}.\n{options.plot}\n{options.model}")
    if problems:
        raise PartialError(
            "some-files-failed", f"{len(problems)} files could not be used; the rest was."
        )
