"""Learning-rate finder: the rate rises for some steps, and the loss says which rate to take."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from pulmo.core.errors import UsageError
from pulmo.core.files import write_atomically
from pulmo.core.folders import RunFolder, SweepFolder
from pulmo.core.output import claimed_folder
from pulmo.datasets.cache import cache_folder
from pulmo.datasets.manifest import Manifest
from pulmo.report.sweep import draw_sweep
from pulmo.workflows.chosen_recipe import NamedRecipe, recipe_of
from pulmo.workflows.options.training import LrFindOptions


class LrFound(NamedTuple):
    """What the finder suggests.

    Attributes:
        folder: the curve and the numbers.
        steepest: the rate at which the loss falls fastest.
        highest: the rate above which the loss may soon rise.
    """

    folder: SweepFolder
    steepest: float
    highest: float


def lr_find(
    recipe: NamedRecipe,
    data: Manifest,
    output: str | Path,
    options: LrFindOptions | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> LrFound:
    """Raises the learning rate of a recipe, draws the loss and suggests a rate.

    Args:
        recipe: a shipped recipe's name, a TOML file, or a recipe.
        data: images with their split; only the training images are used.
        output: the folder to write.
        options: how the rate is raised.
        on_progress: called with the steps done and the steps in all.

    Raises:
        UsageError: the recipe or the rates cannot be used.
        WeightsError: the published initial weights are not available.
        InputError: the loss diverged too soon, or a file cannot be read or written.
    """
    options = options or LrFindOptions()
    if not 0 < options.start < options.end:
        raise UsageError(
            "learning-rates-invalid",
            f"The first learning rate, {options.start:g}, must be above 0 and below the last one, "
            f"{options.end:g}.",
        )
    experiment, folder = recipe_of(recipe, options), SweepFolder(Path(output))
    with claimed_folder(folder.root):
        import torch

        from pulmo.train.lr_find import find_rate
        from pulmo.train.run import Place

        if options.threads:
            torch.set_num_threads(options.threads)
        place = Place(RunFolder(folder.root), cache_folder(), options.device)
        span = (options.start, options.end, options.steps)
        sweep = find_rate(experiment, data, place, span, on_progress)
        columns = [part.tolist() for part in (sweep.rates, sweep.losses, sweep.smoothed)]
        figure = draw_sweep(columns[0], columns[1], columns[2], sweep.steepest)
        write_atomically(folder.curve, figure.encode())
        result = {"recipe": experiment.name, "steepest": sweep.steepest, "highest": sweep.highest}
        numbers = dict(zip(("rates", "losses", "smoothed"), columns, strict=True))
        write_atomically(folder.index, json.dumps(result | numbers, indent=2).encode())
    return LrFound(folder, sweep.steepest, sweep.highest)
