"""Where a reproduced network's initial weights come from: the hub, a folder, or chance."""

from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.errors import UsageError
from pulmo.core.recipe import Recipe
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import make_backbone


class _File(NamedTuple):
    """A file of ImageNet weights, and whether it lacks some tensors."""

    name: str
    partial: bool = False


_FILES: Final = {
    "mobilenetv2_100": _File("mobilenet_v2.imagenet.features.safetensors"),
    "squeezenet1_0": _File("squeezenet1_0.imagenet.safetensors"),
    "squeezenet1_1": _File("squeezenet1_1.imagenet.safetensors"),
    "resnet18": _File("resnet18.imagenet.to_layer3.safetensors", partial=True),
}
"""Network -> its file as a folder of weights holds it."""


class Start(NamedTuple):
    """A recipe whose initial weights can be had, and how it came by them.

    Attributes:
        recipe: the experiment.
        note: how its network starts, to follow those words.
        found: whether the weights that it asks for could be had.
    """

    recipe: Recipe
    note: str
    found: bool = True


def with_weights(recipe: Recipe, folder: Path | None) -> Start:
    """Returns a recipe that starts from the weights that it asks for, or says why it does not.

    Args:
        recipe: the experiment.
        folder: holds safetensors files of ImageNet weights; None if there is none.
    """
    name = recipe.model.backbone
    file = _FILES.get(name)
    if folder and file and (folder / file.name).is_file():
        path = str(folder / file.name)
        changed = {"weights": path, "weights_partial": file.partial}
        part = " of its first layers" if file.partial else ""
        return Start(_changed(recipe, changed), f"from ImageNet weights{part} ({file.name})")
    if recipe.model.weights != "timm":
        return Start(recipe, "from random weights, as the recipe says")
    try:
        make_backbone(name, pretrained=True)
    except UsageError:
        note = "from random weights: ImageNet weights could not be had"
        return Start(_changed(recipe, {"weights": "none"}), note, found=False)
    return Start(recipe, "from timm's ImageNet weights")


def _changed(recipe: Recipe, values: dict[str, object]) -> Recipe:
    model = ModelSection.model_validate(recipe.model.model_dump() | values)
    return recipe.model_copy(update={"model": model})
