"""The network of a run as it was before its first step."""

import json
from importlib.metadata import version
from typing import Final, NamedTuple

from pulmo.bundle.card import Card
from pulmo.core.errors import InputError
from pulmo.core.files import read_bytes
from pulmo.core.folders import RunFolder
from pulmo.core.message import Message
from pulmo.core.recipe import load_recipe
from pulmo.models.classifier import Classifier, check_weights, make_classifier

_DRAWING: Final = ("torch", "timm")
"""The packages that draw random weights: another version may draw others."""


class Untrained(NamedTuple):
    """A network as a run began with it.

    Attributes:
        classifier: in evaluation mode.
        notes: how it starts, and what is not known of it.
    """

    classifier: Classifier
    notes: tuple[Message, ...]


def untrained_classifier(run: RunFolder, card: Card) -> Untrained:
    """Builds the recipe of a run again, with its seed and the weights that it started from.

    Args:
        run: a finished run, whose recipe is the one of its card.
        card: of the run.

    Raises:
        WeightsError: the published weights that it started from cannot be had.
        InputError: the file of these weights is missing, or is not the one of the training.
    """
    recipe = load_recipe(str(run.recipe))
    check_weights(recipe.model)
    seed, size = recipe.train.seed, recipe.image.size
    made = make_classifier(recipe.model, recipe.labels.order, seed, size=size)
    if made.weights != card.network.weights:
        raise InputError(
            "starting-weights-changed",
            f"The training of {run.root} started from {card.network.weights}, but there is "
            f"{made.weights} now. So the network before the training cannot be made again.",
        )
    start = Message("untrained-start", _start(made.weights, seed))
    return Untrained(made.classifier.eval(), (start, *_other_versions(run)))


def _start(weights: str, seed: int) -> str:
    """Returns how the untrained network starts, as sentences."""
    if weights == "none":
        return (
            f"The untrained network has the random weights that the training started from (seed "
            f"{seed}), and its normalisation has seen no image."
        )
    if weights.startswith("pulmo, "):
        return (
            f"The untrained network has the weights that the training started from: {weights}. "
            "They were learnt on chest X-rays, perhaps on some of these images. What these weights "
            f"lack is random (seed {seed})."
        )
    origin = "timm's published weights" if weights == "timm" else weights
    return (
        f"The untrained network has the weights that the training started from: {origin}. They "
        "were learnt on other images, such as those of ImageNet, so it is untrained on these "
        f"images only. What these weights lack is random (seed {seed})."
    )


def _other_versions(run: RunFolder) -> tuple[Message, ...]:
    """Returns a note if other versions of the packages that draw weights are installed now."""
    sittings = json.loads(read_bytes(run.environment)) if run.environment.exists() else []
    packages = sittings[0]["packages"] if sittings else {}
    changed = [name for name in _DRAWING if packages.get(name) != version(name)]
    if not changed:
        return ()
    then = ", ".join(f"{name} {packages.get(name, 'of an unknown version')}" for name in changed)
    now = ", ".join(f"{name} {version(name)}" for name in changed)
    text = (
        f"The training began with {then}, and this is {now}: random weights of the same seed may "
        "differ."
    )
    return (Message("untrained-versions", text),)
