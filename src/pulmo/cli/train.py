"""pulmo train."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pulmo.cli.console import chosen_output, say
from pulmo.cli.options import takes_options
from pulmo.cli.training import OptionalData, OptionalName, training_progress
from pulmo.core.errors import UsageError
from pulmo.workflows.options.training import RepeatOptions

if TYPE_CHECKING:
    from pulmo.datasets.manifest import Manifest


@takes_options
def train(
    recipe: OptionalName = None,
    data: OptionalData = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The run's folder. Default: run-RECIPE."),
    ] = None,
    *,
    options: RepeatOptions,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the summary of folds and seeds as JSON.")
    ] = False,
) -> None:
    """Train a recipe on a manifest.

    With --folds or --seeds it trains many runs; each is exported and evaluated, and all are
    summarised. With --resume it needs only -o: recipe, settings and manifest are those of the
    folder.
    """
    from pulmo.datasets.manifest import read_manifest
    from pulmo.workflows.chosen_recipe import recipe_of

    many = options.folds or options.seeds > 1
    if not many and (options.ray is not None or as_json):
        raise UsageError(
            "option-needs-another", "--ray and --json are for many runs. Add --folds or --seeds N."
        )
    if output is None and options.resume:
        raise UsageError("run-folder-not-given", "Name the folder to resume: -o RUN.")
    derived = output or Path(f"run-{recipe_of(recipe, options).name}")
    manifest = None if data is None else read_manifest(data)
    output = chosen_output(output, derived)
    if many:
        _train_many(recipe, manifest, output, options, as_json=as_json)
    else:
        _train_once(recipe, manifest, output, options)


def _train_once(
    recipe: str | None, manifest: "Manifest | None", output: Path, options: RepeatOptions
) -> None:
    from pulmo.workflows.train import is_first_process, train

    with training_progress() as callbacks:
        run = train(recipe, manifest, output, options, callbacks)
    if is_first_process():
        finished = "finished already, " if run.finished_before else ""
        typer.echo(
            f"{output}: {finished}best epoch {run.best.epoch}, validation loss "
            f"{run.best.val_loss:.4f}, balanced accuracy {run.best.val_balanced_accuracy:.3f}. "
            f"Next: pulmo export {shlex.quote(str(output))} -o BUNDLE"
        )


def _train_many(
    recipe: str | None,
    manifest: "Manifest | None",
    output: Path,
    options: RepeatOptions,
    *,
    as_json: bool,
) -> None:
    from pulmo.workflows.repeat import repeat

    with training_progress() as callbacks:
        repeats = repeat(recipe, manifest, output, options, callbacks, _say_done)
    if as_json:
        typer.echo(repeats.summary.model_dump_json(indent=2))
    else:
        text = repeats.folder.text.read_text(encoding="utf-8")
        typer.echo(f"{text}\n{repeats.folder.index}")


def _say_done(name: str, done: int, total: int) -> None:
    say(f"{name} is done, {done} of {total}")
