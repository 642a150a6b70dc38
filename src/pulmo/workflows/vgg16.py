"""VGG16 on a folder of images, as a published script trains it: the recipe `vgg16-cli`."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from sklearn.metrics import classification_report

from pulmo.core.errors import InputError, InterruptedRunError
from pulmo.core.files import write_atomically
from pulmo.core.output import claim_file, claim_folder
from pulmo.core.recipe import Recipe, load_recipe
from pulmo.datasets.importing import import_source
from pulmo.datasets.manifest import SPLITS, Manifest
from pulmo.datasets.source import Problem
from pulmo.datasets.split import Plan, check_split, draw
from pulmo.evaluate import warnings
from pulmo.report.figures import training_plot
from pulmo.reproduce.initial_weights import as_written
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.evaluation_report import EvaluationReport
from pulmo.workflows.export import export
from pulmo.workflows.options.training import Vgg16Options
from pulmo.workflows.train import train

_PNG: Final = b"\x89PNG"
_SEED: Final = 42
_FIFTH: Final = 0.2


def recipe_of(options: Vgg16Options) -> Recipe:
    """Returns the recipe with the flags; its decay is that of Keras in the script.

    The variant for a random start lowers the rate as much as it lowers the recipe's own.
    """
    usual = load_recipe("vgg16-cli")
    chosen = load_recipe("vgg16-cli", scratch=options.from_scratch)
    settings = [
        f"train.lr={options.learning * chosen.train.lr / usual.train.lr}",
        f"train.schedule.decay={options.learning / options.epochs}",
        f"train.epochs={options.epochs}",
        f"train.batch={options.batch}",
    ]
    if options.weights is not None:
        settings.append(f"model.weights={json.dumps(str(options.weights))}")
    return load_recipe("vgg16-cli", settings, scratch=options.from_scratch)


class Vgg16Images(NamedTuple):
    """The images that were found.

    Attributes:
        manifest: with their split.
        problems: the files that cannot be used.
    """

    manifest: Manifest
    problems: tuple[Problem, ...]


class Vgg16Result(NamedTuple):
    """What came of it.

    Attributes:
        labels: the classes; the first is the one that is looked for.
        report: the evaluation of the test images.
        start: how the network started, such as `from timm's ImageNet weights`.
    """

    labels: tuple[str, ...]
    report: EvaluationReport
    start: str


def check_places(dataset: Path, options: Vgg16Options) -> str:
    """Checks, before images are read, all that is named, and returns how the network will start.

    Args:
        dataset: a folder with one folder for each class.
        options: the places of the results, and the initial weights.

    Raises:
        InputError: the data set has other folders, or a result cannot be written.
        WeightsError: the initial weights are not available.
        UsageError: a flag has a bad value.
    """
    model, plot, recipe = options.model, options.plot, recipe_of(options)
    if model.exists():
        raise InputError(
            "bundle-exists",
            f"{model} exists already. A model is never overwritten, because it records how often "
            "its test was evaluated. Name a new folder.",
        )
    if model in (plot, *plot.parents):
        raise InputError(
            "outputs-coincide",
            f"The plot {plot} and the model {model} cannot be in the same place.",
        )
    claim_folder(model.parent)
    claim_file(plot, _PNG)
    _check_folders(dataset, recipe.labels.order)
    start = as_written(recipe)
    if options.from_scratch:
        return f"from random weights; so all layers learn, at a rate of {recipe.train.lr:g}"
    return f"from {options.weights}" if options.weights else start.note


def read_images(
    dataset: Path, recipe: Recipe, on_progress: Callable[[int, int], None] | None = None
) -> Vgg16Images:
    """Reads the images and draws a split by group: a fifth validates, a fifth is the test.

    Raises:
        InputError: no image can be used, or a side lacks a class.
        RefusedError: the split leaks.
    """
    imported = import_source("folder", dataset, on_progress=on_progress)
    drawn = draw(imported.manifest, Plan(seed=_SEED, val=_FIFTH, test=_FIFTH)).manifest
    check_split(drawn)
    sides = drawn.frame.groupby(["split", "label"]).size()
    for label in recipe.labels.order:
        for side in SPLITS:
            if (side, label) not in sides.index:
                raise InputError(
                    "images-too-few",
                    f"{dataset} has too few images of {label} for a {side} side: give five or more "
                    "that are not copies of each other.",
                )
    return Vgg16Images(drawn, tuple(imported.problems))


def train_vgg16(
    manifest: Manifest, options: Vgg16Options, start: str, callbacks: Callbacks | None = None
) -> Vgg16Result:
    """Trains, exports and tests; the run's folder goes away, the bundle and the curves stay.

    Args:
        manifest: images with their split.
        options: the flags.
        start: how the network starts, for the result.
        callbacks: called with the progress; they can stop the training.

    Raises:
        DivergedError: the loss is not a finite number.
        InterruptedRunError: the training was stopped; nothing was written.
        InputError: a file cannot be read or written.
    """
    recipe = recipe_of(options)
    with tempfile.TemporaryDirectory(prefix="pulmo-vgg16-") as folder:
        try:
            run = train(recipe, manifest, Path(folder) / "run", callbacks=callbacks)
        except InterruptedRunError:
            raise InterruptedRunError("interrupted", "Interrupted; nothing was written.") from None
        card = export(run.folder.root, options.model).card
    write_atomically(options.plot, training_plot(card.training))
    return Vgg16Result(recipe.labels.order, evaluate(options.model, manifest, split="test"), start)


def result_text(result: Vgg16Result) -> str:
    """Returns the classification report, the confusion matrix, the main values and the warnings."""
    labels, evaluation = list(result.labels), result.report.evaluation
    frame = result.report.predictions.frame
    truth, decided = frame["label"], frame["decision"]
    width = max(map(len, labels))
    lines = [
        # Where nothing was decided for a class, its precision is no number rather than 0.
        classification_report(truth, decided, labels=labels, zero_division=np.nan),
        "Confusion matrix, true classes down, decisions across:",
        f"{'':{width}}  {'  '.join(f'{label:>{width}}' for label in labels)}",
    ]
    for label, row in zip(labels, evaluation.confusion, strict=True):
        lines.append(f"{label:{width}}  {'  '.join(f'{count:{width}}' for count in row)}")
    main_class = evaluation.classes[labels[0]]
    for name, estimate in (
        ("accuracy", evaluation.overall["accuracy"]),
        ("sensitivity", main_class["recall"]),
        ("specificity", main_class["specificity"]),
    ):
        lines.append(f"{name:11}  {estimate}, n = {estimate.n}")
    if evaluation.data.n < warnings.MIN_GROUPS:
        few = f"Only {evaluation.data.n} images: too few for a conclusion. Look at the intervals."
        lines.append(f"warning: {few}")
    lines += [f"warning: {warning.text}" for warning in evaluation.warnings]
    return "\n".join(lines)


def _check_folders(dataset: Path, labels: tuple[str, ...]) -> None:
    """Checks that there is one folder for each class and no other."""
    wanted = " and ".join(labels)
    if not dataset.is_dir():
        raise InputError(
            "folder-missing",
            f"{dataset} is not a folder; one with the folders {wanted} was expected.",
        )
    found = sorted(p.name for p in dataset.iterdir() if p.is_dir() and p.name[0] != ".")
    if sorted(name.lower() for name in found) != sorted(labels):
        raise InputError(
            "class-folders-unexpected",
            f"{dataset} contains {', '.join(found) or 'no folder'}; the folders {wanted} were "
            "expected, and no other.",
        )
