"""pulmo-vgg16: the recipe `vgg16-cli` on a folder of images, by a published script's flags."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from pulmo.cli.console import progress, say, say_notes
from pulmo.cli.exits import run_command
from pulmo.core.errors import InputError, InterruptedRunError, PartialError
from pulmo.core.output import claim_file, claim_folder

if TYPE_CHECKING:
    import pandas as pd

    from pulmo.bundle.card import Card
    from pulmo.core.recipe import Recipe
    from pulmo.datasets.manifest import Manifest
    from pulmo.evaluate.evaluation import Evaluation

_PNG: Final = b"\x89PNG"
_SEED: Final = 42

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
        Path, typer.Option("--plot", "-p", help="The curves; a PNG file that is there is replaced.")
    ] = Path("plot.png"),
    model: Annotated[
        Path, typer.Option("--model", "-m", help="The model, a bundle: a folder that is not there.")
    ] = Path("covid19.model"),
    learning: Annotated[
        float, typer.Option("--learning", "-lr", help="The first learning rate.")
    ] = 1e-3,
    epoch: Annotated[int, typer.Option("--epoch", "-e", help="Epochs.", min=1)] = 25,
    batchsize: Annotated[int, typer.Option("--batchsize", "-bs", help="Images a step.", min=2)] = 8,
    weights: Annotated[
        Path | None,
        typer.Option(help="ImageNet weights of VGG16, safetensors; else timm's, downloaded."),
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
    _claim(plot, model)
    recipe = _recipe(learning, epoch, batchsize, weights, scratch=scratch)

    from pulmo.core.files import write_atomically
    from pulmo.report.figures import training_plot
    from pulmo.reproduce.initial_weights import as_written

    # Neither asks for much time, and each may end it all.
    _check_folders(dataset, recipe.labels.order)
    start = as_written(recipe)
    note = f"from {weights}" if weights else start.note
    if scratch:
        note = f"from random weights; so all layers learn, at a rate of {recipe.train.lr:g}"
    manifest, problems = _split(dataset, recipe.labels.order)
    say(f"VGG16 starts {note}.")
    card = _train(recipe, manifest, model)
    write_atomically(plot, training_plot(card.training))
    _tell(*_test(manifest, model), recipe)
    typer.echo(f"VGG16 started {note}.\n{plot}\n{model}")
    if problems:
        raise PartialError(
            "some-files-failed", f"{len(problems)} files could not be used; the rest was."
        )


def _claim(plot: Path, model: Path) -> None:
    """Checks, before the training, that its results have a place."""
    if model.exists():
        raise InputError(
            "bundle-exists",
            f"{model} exists already; a model is never overwritten, since it keeps a record of how "
            "often its test was opened. Name another with -m, or remove it.",
        )
    if model in (plot, *plot.parents):
        raise InputError(
            "outputs-coincide",
            f"{plot} and {model} cannot be at one place; name another plot with -p.",
        )
    claim_folder(model.parent)
    claim_file(plot, _PNG)


def _recipe(
    learning: float, epoch: int, batchsize: int, weights: Path | None, *, scratch: bool = False
) -> "Recipe":
    """Returns the recipe with what the flags say; the decay is Keras's of the script.

    Its variant for a random start, `scratch`, lowers the rate as much as it lowers the recipe's.
    """
    from pulmo.core.recipe import load_recipe

    usual, chosen = (load_recipe("vgg16-cli", scratch=part) for part in (False, scratch))
    settings = [
        f"train.lr={learning * chosen.train.lr / usual.train.lr}",
        f"train.schedule.decay={learning / epoch}",
        f"train.epochs={epoch}",
        f"train.batch={batchsize}",
    ]
    if weights is not None:
        settings.append(f"model.weights={json.dumps(str(weights))}")
    return load_recipe("vgg16-cli", settings, scratch=scratch)


def _split(dataset: Path, labels: tuple[str, ...]) -> "tuple[Manifest, list[str]]":
    """Returns the images with their split, and a sentence for each that cannot be used."""
    from pulmo.core.noted import count_kinds
    from pulmo.datasets.importing import import_source
    from pulmo.datasets.split import Plan, check_split, draw

    with progress("reading images") as (reading,):
        imported = import_source("folder", dataset, on_progress=reading)
    say_notes(count_kinds(imported.manifest.frame["notes"]), len(imported.manifest))
    problems = [f"{problem.path}: {problem.reason}" for problem in imported.problems]
    for sentence in problems:
        say(sentence)
    drawn = draw(imported.manifest, Plan(seed=_SEED, val=0.2, test=0.2)).manifest
    check_split(drawn)
    sides = drawn.frame.groupby(["split", "label"]).size()
    for label in labels:
        for side in ("train", "val", "test"):
            if (side, label) not in sides.index:
                raise InputError(
                    "images-too-few",
                    f"{dataset} has too few images of {label} for a {side} side: give five or more "
                    "that are no copies of each other.",
                )
    return drawn, problems


def _check_folders(dataset: Path, labels: tuple[str, ...]) -> None:
    """Checks that there is one folder a class and no other."""
    if not dataset.is_dir():
        raise InputError(
            "folder-missing",
            f"{dataset} is not a folder; one with the folders {' and '.join(labels)} was expected.",
        )
    found = sorted(p.name for p in dataset.iterdir() if p.is_dir() and p.name[0] != ".")
    if sorted(name.lower() for name in found) != sorted(labels):
        raise InputError(
            "class-folders-unexpected",
            f"{dataset} holds {', '.join(found) or 'no folder'}; the folders "
            f"{' and '.join(labels)} were expected, and no other. `pulmo train vgg16-cli` takes "
            "other classes with --set labels.order=[...].",
        )


def _train(recipe: "Recipe", manifest: "Manifest", model: Path) -> "Card":
    """Trains in a folder that goes away, and leaves the bundle."""
    from pulmo.bundle.export import export_run
    from pulmo.cli.train import listening
    from pulmo.core.folders import RunFolder
    from pulmo.datasets.cache import cache_folder
    from pulmo.train.run import Place, train_run

    with tempfile.TemporaryDirectory(prefix="pulmo-vgg16-") as folder:
        run = RunFolder(Path(folder) / "run")
        try:
            with listening(recipe) as listener:
                train_run(
                    recipe,
                    manifest,
                    Place(run, cache_folder()),
                    listener.watch,
                    on_decode=listener.on_decode,
                )
        except InterruptedRunError:
            raise InterruptedRunError("interrupted", "Interrupted; nothing was written.") from None
        return export_run(run, model)


def _test(manifest: "Manifest", model: Path) -> "tuple[pd.DataFrame, Evaluation]":
    """Returns predictions and figures of the test, and records the access to it."""
    import numpy as np

    from pulmo.bundle.manifest_predictions import predict_manifest
    from pulmo.bundle.predictor import Predictor
    from pulmo.core.folders import BundleFolder
    from pulmo.evaluate.evaluate import Provenance, Resampling, evaluate
    from pulmo.evaluate.evaluation import ModelName
    from pulmo.evaluate.test_access import access_of, record_access

    predictor = Predictor.open(model)
    images = manifest.split("test")
    access = access_of(predictor, manifest, images, "test")
    accesses = record_access(access, [BundleFolder(model).test_access]).times if access else None
    predictions, failed = predict_manifest(predictor, images)
    model_name = ModelName.from_predictor(predictor)
    provenance = Provenance(model_name, images.sha256, "test", failed, accesses)
    drawn = Resampling(np.random.default_rng(0))
    return predictions.frame, evaluate(predictions, provenance, drawn)


def _tell(predictions: "pd.DataFrame", figures: "Evaluation", recipe: "Recipe") -> None:
    """Prints the figures of the test images, and what they do not show."""
    import numpy as np
    from sklearn.metrics import classification_report

    from pulmo.evaluate.warnings import MIN_GROUPS

    labels = list(recipe.labels.order)
    truth, decided = predictions["label"], predictions["decision"]
    # Where nothing was decided for a class, its precision is no number rather than 0.
    typer.echo(classification_report(truth, decided, labels=labels, zero_division=np.nan))
    width = max(map(len, labels))
    typer.echo("Confusion matrix, true classes down, decisions across:")
    typer.echo(f"{'':{width}}  {'  '.join(f'{label:>{width}}' for label in labels)}")
    for label, row in zip(labels, figures.confusion, strict=True):
        typer.echo(f"{label:{width}}  {'  '.join(f'{count:{width}}' for count in row)}")
    main_class = figures.classes[labels[0]]
    accuracy = figures.overall["accuracy"]
    for name, estimate in (
        ("accuracy", accuracy),
        ("sensitivity", main_class["recall"]),
        ("specificity", main_class["specificity"]),
    ):
        typer.echo(f"{name:11}  {estimate}, n = {estimate.n}")
    if figures.data.n < MIN_GROUPS:
        typer.echo(
            f"warning: Only {figures.data.n} images: too few for a conclusion. Read the intervals."
        )
    for warning in figures.warnings:
        typer.echo(f"warning: {warning.text}")
