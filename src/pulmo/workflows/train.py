"""Train: a recipe and a manifest become a run's folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from pulmo.bundle.card import Card, Epoch, WeightFormat
from pulmo.core.begun import check_folder
from pulmo.core.files import write_atomically
from pulmo.core.folders import RunFolder
from pulmo.core.output import claimed_folder
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest
from pulmo.report.figures import learning_curves
from pulmo.train.callbacks import Callbacks
from pulmo.workflows.chosen_recipe import NamedRecipe, chosen_images, chosen_recipe
from pulmo.workflows.export import export
from pulmo.workflows.options.training import TrainOptions


@dataclass(frozen=True)
class Run:
    """A finished training run.

    Attributes:
        folder: its folder.
        card: what the model is.
        finished_before: whether the training had ended before this call.
    """

    folder: RunFolder
    card: Card
    finished_before: bool = False

    @property
    def best(self) -> Epoch:
        """The best epoch by the recipe's `train.choose_by`, whose weights the model has."""
        return self.card.training.history[self.card.training.best_epoch - 1]

    def export(
        self, output: str | Path | None = None, weight_format: WeightFormat = "fp32"
    ) -> Path:
        """Makes a bundle of the run and returns its folder.

        Args:
            output: the bundle's folder. None: the run's, with `-bundle` after its name.
            weight_format: how the weights are stored: fp32, fp16 or int8.

        Raises:
            InputError: the folder exists or cannot be written.
            RefusedError: the exported network differs from the trained one.
        """
        return export(self.folder.root, output, weight_format).folder.root


def train(
    recipe: NamedRecipe,
    data: Manifest | None,
    output: str | Path,
    options: TrainOptions | None = None,
    callbacks: Callbacks | None = None,
) -> Run:
    """Trains a recipe on a manifest; a refused call leaves no folder.

    Under torchrun each process calls this; the first one checks and writes.

    Args:
        recipe: a shipped recipe's name, a TOML file, or a recipe. None: resume the folder's own.
        data: images with their split. None: resume with the folder's own.
        output: the run's folder; it must be new, unless its run is resumed.
        options: how it is trained.
        callbacks: called with the progress; they can stop the run.

    Raises:
        UsageError: the recipe cannot be used, or the folder is not free or holds nothing to resume.
        WeightsError: the published initial weights are not available.
        InputError: the images lack a class, or a file cannot be read or written.
        DivergedError: the loss is not a finite number.
        RefusedError: the split leaks, or the folder was started with something else.
        InterruptedRunError: the callbacks stopped the run; it can be resumed.
    """
    options, callbacks = options or TrainOptions(), callbacks or Callbacks()
    folder = RunFolder(Path(output))
    experiment = chosen_recipe(recipe, folder.root, options, callbacks.on_note)
    images = chosen_images(data, folder.root, options)
    leads = is_first_process()
    if leads:
        check_folder(experiment, folder, resume=options.resume)
    with claimed_folder(folder.root):
        import torch

        from pulmo.train.run import Place, train_run

        if options.threads:
            torch.set_num_threads(options.threads)
        finished = folder.card.exists()
        place = Place(folder, cache_folder(), options.device)
        card = train_run(experiment, images, place, callbacks, resume=options.resume)
    if leads:
        write_atomically(folder.curves, learning_curves(card.training).encode())
    return Run(folder, card, finished)


def is_first_process() -> bool:
    """Tells whether this process checks, writes and prints for all that torchrun started."""
    return os.environ.get("RANK", "0") == "0"
