"""Classifier: a network with its label order, from a grey image to logits."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pulmo.core.errors import InputError, UsageError
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import Backbone, check_pretrained, make_backbone
from pulmo.models.head import Head, make_head
from pulmo.models.randomness import seeded
from pulmo.models.weights import check_shipped, load_shipped, load_weights

# How far a recipe's mean and deviation may be from those of the weights: three digits are enough.
_ROUNDED = 5e-3


class Classifier(nn.Module):
    """A backbone and a head, with the normalisation of the grey value before them.

    Attributes:
        labels: the classes, in the order of the logits.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: Backbone,
        head: Head,
        labels: tuple[str, ...],
        normalisation: tuple[float, float] = (0.449, 0.226),
    ) -> None:
        """Joins the parts; `normalisation` is the mean and deviation of the grey value."""
        super().__init__()
        self.backbone = backbone
        self.head = head
        self.labels = labels
        mean, std = normalisation
        self.register_buffer("mean", torch.tensor(mean), persistent=False)
        self.register_buffer("std", torch.tensor(std), persistent=False)

    def features(self, images: Tensor) -> Tensor:
        """Returns feature maps [n, channels, rows, columns] of images [n, 1, h, w] in [0, 1]."""
        maps: Tensor = self.backbone((images - self.mean) / self.std)
        return maps

    def forward(self, images: Tensor) -> Tensor:
        """Returns logits [n, classes] of images float [n, 1, h, w] in [0, 1]."""
        logits: Tensor = self.head(self.features(images))
        return logits

    def explain(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits [n, classes] and class activation maps [n, classes, rows, columns]."""
        maps = self.features(images)
        return self.head(maps), self.head.activation(maps)


class Made(NamedTuple):
    """A new classifier and where its weights came from."""

    classifier: Classifier
    weights: str


def make_classifier(
    section: ModelSection,
    labels: tuple[str, ...],
    seed: int,
    *,
    size: int = 224,
    initial: bool = True,
) -> Made:
    """Makes the classifier of a recipe.

    Args:
        section: the recipe's model.
        labels: the classes.
        seed: seeds the random weights; the process's own generator is left as it was.
        size: side of the images in pixels. A flatten head takes no other size.
        initial: load the initial weights; False where trained ones are loaded after.

    Raises:
        UsageError: there is no such network, it does not take images of this size, its output is
            not feature maps, its head is too large, its weights expect another normalisation and
            the recipe names none, or they are those of pulmo, which do not fit it.
        InputError: the weights' file is missing, damaged or of another network.
        RefusedError: the weights' file is not the one that the recipe names.
    """
    with seeded(seed):
        pretrained = initial and section.weights == "timm"
        backbone = make_backbone(section.backbone, pretrained=pretrained, size=size)
        head = make_head(section, (backbone.channels, *backbone.grid), len(labels))
    origin = section.weights
    if initial and section.weights == "pulmo":
        origin = load_shipped(backbone, section.backbone)
    elif initial and section.weights not in ("none", "timm"):
        origin = load_weights(
            backbone,
            Path(section.weights),
            expected_sha256=section.weights_sha256,
            partial=section.weights_partial,
        )
        if backbone.grey is None:
            origin = f"{origin}, the normalisation that it expects is not stated"
    if initial and section.weights != "none":
        _check_normalisation(section, backbone)
    return Made(Classifier(backbone, head, labels, (section.mean, section.std)), origin)


def check_weights(section: ModelSection) -> None:
    """Checks, before any work is done, that a recipe's initial weights are available.

    Raises:
        UsageError: the network has no published weights, or those of pulmo do not fit it.
        WeightsError: they are not on this machine, and their host cannot be reached.
        InputError: the weights' file is missing.
    """
    if section.weights == "timm":
        check_pretrained(section.backbone)
    elif section.weights == "pulmo":
        check_shipped(section.backbone)
    elif section.weights != "none" and not Path(section.weights).is_file():
        raise InputError(
            "file-missing", f"The file of model.weights, {section.weights}, does not exist."
        )


def _check_normalisation(section: ModelSection, backbone: Backbone) -> None:
    """Refuses to take the default normalisation for weights that expect another."""
    grey, given = backbone.grey, (section.mean, section.std)
    # A recipe that was read again has every default written out, so these are never a statement.
    usual = tuple(ModelSection.model_fields[name].default for name in ("mean", "std"))
    if grey is None or given != usual:
        return
    if any(abs(a - b) > _ROUNDED for a, b in zip(given, grey, strict=True)):
        raise UsageError(
            "normalisation-differs",
            f"The weights of {section.backbone!r} expect another normalisation than "
            f"{section.mean:g} and {section.std:g}. Set model.mean={grey.mean:.3g} and "
            f"model.std={grey.std:.3g}, or to what else the network is to see.",
        )
