"""Explain: on each image the evidence for a class is painted."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast, overload

from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.core.folders import BundleFolder, RunFolder
from pulmo.datasets.source import Problem
from pulmo.explain.heat_map import HeatMap
from pulmo.explain.methods import GRAPH, read_method
from pulmo.radiograph.image_source import ImageSource, name_of, open_image
from pulmo.workflows.found import Name
from pulmo.workflows.heat_map_folder import HeatMapFolder, Shown
from pulmo.workflows.image_result import ImageResult, MethodName
from pulmo.workflows.model import Model, load
from pulmo.workflows.predict import Prediction, predict_images

ModelName = Model | str | os.PathLike[str]
"""A bundle, or the folder of a bundle or of a run."""


@overload
def explain(
    model: ModelName,
    images: ImageSource,
    output: None = None,
    *,
    label: str | None = None,
    method: MethodName = GRAPH,
) -> HeatMap: ...


@overload
def explain(
    model: ModelName,
    images: Sequence[Name],
    output: str | os.PathLike[str],
    *,
    label: str | None = None,
    method: MethodName = GRAPH,
    on_left_out: Callable[[Problem], None] = lambda _: None,
) -> list[Prediction]: ...


def explain(
    model: ModelName,
    images: ImageSource | Sequence[Name],
    output: str | os.PathLike[str] | None = None,
    *,
    label: str | None = None,
    method: MethodName = GRAPH,
    on_left_out: Callable[[Problem], None] = lambda _: None,
) -> HeatMap | list[Prediction]:
    """Returns a heat map of one image, or writes those of many.

    Args:
        model: a bundle; or a run, which serves the methods that look inside the network too.
        images: one image, as `Model.predict` takes it but for arrays; or, with an output, files,
            and folders, which are searched for images.
        output: the folder for the maps and their values; it is made if need be.
        label: the class to show; the decided one of each image if None.
        method: the method's name, a table of its name (`name`) and parameters, or the method;
            `pulmo.explain.methods` has all.
        on_left_out: called with each file in a folder that is left out, and why.

    Returns:
        The heat map of the one image. With an output the results; `heatmap` of each is the file of
        its map, or `reason` says why there is none.

    Raises:
        InputError: the model cannot be used, the folder cannot be written to, or the one image is
            missing or damaged.
        RefusedError: the model was not meant for the one image.
        UsageError: the model has no such class, there is no such method or the model cannot serve
            it, or the folder is one of the images' folders.
    """
    way, predictor = read_method(method), open_predictor(model)
    if output is None:
        way.check(predictor)
        image = cast("ImageSource", images)
        radiograph = open_image(image, name_of(image, "The image"))
        name = name_of(image, "image")
        outcome = predictor.predict(radiograph, name)
        return ImageResult(name, outcome, predictor, radiograph).heatmap(label, way)
    names = [Path(image) for image in cast("Sequence[Name]", images)]
    maps = HeatMapFolder.from_names(Path(output), names, Shown(way, label, values=True))
    return list(predict_images(predictor, names, maps, on_left_out))


def open_predictor(model: ModelName) -> ImagePredictor:
    """Opens a bundle, or a training run, which needs torch.

    Raises:
        InputError: it is missing, damaged or unfinished.
        ModuleNotFoundError: it is a run, and torch is not installed.
    """
    if isinstance(model, Model):
        return model.predictor
    path = Path(model)
    if RunFolder(path).recipe.exists() and not BundleFolder(path).model.exists():
        from pulmo.explain.trained.network import open_run

        return open_run(path)
    return load(path).predictor
