"""Explain: on each image the evidence for a class is painted."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from pulmo.datasets.source import Problem
from pulmo.workflows.found import Name
from pulmo.workflows.heat_map_folder import HeatMapFolder
from pulmo.workflows.model import Model
from pulmo.workflows.predict import Prediction, predict


def explain(
    model: Model | str | os.PathLike[str],
    images: Sequence[Name],
    output: str | os.PathLike[str],
    *,
    label: str | None = None,
    on_left_out: Callable[[Problem], None] = lambda _: None,
) -> list[Prediction]:
    """Writes a heat map of each image, on the scale of the model's card.

    Args:
        model: the bundle.
        images: files, and folders, which are searched for images.
        output: the folder for the maps; it is made if need be.
        label: the class to show; the decided one of each image if None.
        on_left_out: called with each file in a folder that is left out, and why.

    Returns:
        The results; `heatmap` of each is the file of its map, or `reason` says why there is none.

    Raises:
        InputError: the bundle cannot be used, or the folder cannot be written to.
        UsageError: the model has no such class, or the folder is one of the images' folders.
    """
    maps = HeatMapFolder.from_names(Path(output), [Path(image) for image in images], label)
    return list(predict(model, images, maps=maps, on_left_out=on_left_out))
