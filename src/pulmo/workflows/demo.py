"""Demo: every stage of pulmo on drawn images, offline."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pulmo.core.errors import InputError, UsageError
from pulmo.core.output import claim_folder
from pulmo.datasets.phantom import write_phantoms
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.evaluate import evaluate
from pulmo.workflows.evaluation_report import EvaluationReport
from pulmo.workflows.explain import explain
from pulmo.workflows.import_images import import_images
from pulmo.workflows.options.data import ImportOptions
from pulmo.workflows.predict import Prediction
from pulmo.workflows.split import split
from pulmo.workflows.train import train

_SEED: Final = 7
_NEW_IMAGES: Final = 4
_MARKER: Final = ".pulmo-demo"
"""A file that says that the demo made a folder, complete or not, and may replace it."""


@dataclass(frozen=True)
class DemoFolder:
    """The folder of a demo."""

    root: Path

    @property
    def images(self) -> Path:
        """The drawn images and their table."""
        return self.root / "images"

    @property
    def manifest(self) -> Path:
        """The images with their split."""
        return self.root / "images.parquet"

    @property
    def run(self) -> Path:
        """The training run."""
        return self.root / "run"

    @property
    def bundle(self) -> Path:
        """The bundle of the run."""
        return self.root / "bundle"

    @property
    def evaluation(self) -> Path:
        """The evaluation of the bundle."""
        return self.root / "evaluation"

    @property
    def new_images(self) -> Path:
        """New drawn images."""
        return self.root / "new"

    @property
    def heat_maps(self) -> Path:
        """The heat maps of the new images."""
        return self.root / "heat-maps"


@dataclass(frozen=True)
class Demo:
    """What the demo gave.

    Attributes:
        folder: where everything is.
        report: the evaluation on images of patients that the model never saw.
        predictions: the results of the new images.
    """

    folder: DemoFolder
    report: EvaluationReport
    predictions: tuple[Prediction, ...]


def demo(
    output: Path,
    count: int,
    callbacks: Callbacks | None = None,
    on_step: Callable[[str], None] = lambda _: None,
) -> Demo:
    """Draws images, trains on them, evaluates, predicts and explains.

    Args:
        output: the folder to write: a new one, or an earlier demo's, which is replaced.
        count: how many images are drawn and trained on.
        callbacks: called with the progress of the training; they can stop it.
        on_step: called with a title before each step.

    Raises:
        UsageError: the folder exists and no demo made it.
        InputError: a file cannot be written.
        InterruptedRunError: the training was stopped.
    """
    folder = DemoFolder(output)
    _claim(output)
    on_step(f"1/6 drawing {count} chest X-rays")
    table = write_phantoms(folder.images, count, _SEED)
    on_step("2/6 reading them, and a split that keeps each patient on one side")
    named = ImportOptions(name="phantom")
    imported = import_images("csv", table, folder.manifest, named)
    images = split(imported.manifest, folder.manifest).manifest
    on_step("3/6 training the recipe demo")
    run = train("demo", images, folder.run, callbacks=callbacks)
    on_step("4/6 exporting the bundle, checked against the trained network")
    run.export(folder.bundle)
    on_step("5/6 evaluating the bundle on images of patients that it never saw")
    report = evaluate(folder.bundle, images, split="test", output=folder.evaluation)
    on_step(f"6/6 classifying and explaining {_NEW_IMAGES} new images")
    write_phantoms(folder.new_images, _NEW_IMAGES, _SEED + 1)
    new = sorted((folder.new_images / "images").iterdir())
    predictions = explain(folder.bundle, [str(path) for path in new], folder.heat_maps)
    return Demo(folder, report, tuple(predictions))


def _claim(output: Path) -> None:
    """Makes the demo's folder, or empties the one that a demo made before."""
    marker = output / _MARKER
    if output.exists() and not marker.is_file():
        raise UsageError(
            "demo-folder-foreign",
            f"{output} exists already and no demo made it. Name another folder.",
        )
    claim_folder(output)
    try:
        marker.touch()
        for path in output.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            elif path != marker:
                path.unlink()
    except OSError as error:
        raise InputError(
            "folder-not-emptied", f"{output} could not be emptied: {error.strerror or error}."
        ) from error
