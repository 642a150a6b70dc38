"""Where a reproduced network's initial weights come from: a folder, or what its recipe says."""

from pathlib import Path
from typing import Final, NamedTuple

from pulmo.core.recipe import Recipe, load_recipe
from pulmo.core.sections import ModelSection
from pulmo.reproduce.options import ReproduceOptions


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
"""Network -> its file in a folder of weights, where that is not NETWORK.safetensors."""


class Start(NamedTuple):
    """A recipe whose initial weights are available, and how its network starts.

    Attributes:
        recipe: the experiment.
        note: how its network starts, to follow those words.
    """

    recipe: Recipe
    note: str


def initial_weights(name: str, options: ReproduceOptions) -> Start:
    """Returns the recipe of an experiment with the settings, and how its network starts.

    Args:
        name: the recipe.
        options: how the system is reproduced.

    Raises:
        WeightsError: its initial weights are not available.
        UsageError: it does not take the settings.
    """
    recipe = load_recipe(name, options.settings, quick=options.quick)
    if start := from_folder(recipe, options.weights):
        return start
    if not options.from_scratch or recipe.model.weights == "none":
        return as_written(recipe)
    scratch = load_recipe(name, options.settings, quick=options.quick, scratch=True)
    changed = "; what the recipe changes for that is in its table scratch"
    own = changed if scratch.name != recipe.name else ""
    return Start(scratch, f"from random weights, as requested{own}")


def from_folder(recipe: Recipe, folder: Path | None) -> Start | None:
    """Returns a recipe that starts from the file of its network in a folder; None without one.

    Args:
        recipe: the experiment.
        folder: holds safetensors files of ImageNet weights; None if there is none.
    """
    name = recipe.model.backbone
    known = (_FILES.get(name), _File(f"{name}.safetensors"))
    file = next((f for f in known if f and folder and (folder / f.name).is_file()), None)
    if folder is None or file is None:
        return None
    changed = {"weights": str(folder / file.name), "weights_partial": file.partial}
    part = " of its first layers" if file.partial else ""
    return Start(_changed(recipe, changed), f"from ImageNet weights{part} ({file.name})")


def as_written(recipe: Recipe) -> Start:
    """Returns a recipe whose network starts as the recipe says, once its weights are available.

    Raises:
        UsageError: it starts from published weights, and its network has none.
        WeightsError: they are not on this machine, and their host cannot be reached.
        InputError: the file that it starts from is missing.
    """
    # torch takes seconds to import, which wrong options need not cost.
    from pulmo.models.classifier import check_weights

    check_weights(recipe.model)
    if recipe.model.weights == "timm":
        return Start(recipe, "from timm's ImageNet weights")
    if recipe.model.weights == "none":
        return Start(recipe, "from random weights, as the recipe says")
    return Start(recipe, f"from {Path(recipe.model.weights).name}")


def _changed(recipe: Recipe, values: dict[str, object]) -> Recipe:
    model = ModelSection.model_validate(recipe.model.model_dump() | values)
    return recipe.model_copy(update={"model": model})
