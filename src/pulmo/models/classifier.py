"""Classifier: a network with its label order, from a grey film to logits."""

from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from pulmo.core.errors import UsageError
from pulmo.core.sections import ModelSection
from pulmo.models.backbone import Backbone, make_backbone
from pulmo.models.heads import Head, LinearHead, MlpHead
from pulmo.models.randomness import seeded
from pulmo.models.weights import load_weights


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

    def features(self, films: Tensor) -> Tensor:
        """Returns feature maps [n, channels, rows, columns] of films [n, 1, h, w] in [0, 1]."""
        maps: Tensor = self.backbone((films - self.mean) / self.std)
        return maps

    def forward(self, films: Tensor) -> Tensor:
        """Returns logits [n, classes] of films float [n, 1, h, w] in [0, 1]."""
        logits: Tensor = self.head(self.features(films))
        return logits

    def explain(self, films: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits [n, classes] and class activation maps [n, classes, rows, columns]."""
        maps = self.features(films)
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
        size: side of the films in pixels, to check that the network takes them.
        initial: load the initial weights; False where trained ones are loaded after.

    Raises:
        UsageError: there is no such network, it does not take films of this size, or its output
            is not feature maps.
        InputError: the weights' file is missing, damaged or of another network.
        RefusedError: the weights' file is not the one that the recipe names.
    """
    with seeded(seed):
        pretrained = initial and section.weights == "timm"
        backbone = make_backbone(section.backbone, pretrained=pretrained)
        head: Head
        if section.head == "linear":
            head = LinearHead(backbone.channels, len(labels), section.dropout)
        else:
            head = MlpHead(backbone.channels, len(labels), section.hidden, section.dropout)
    origin = section.weights
    if initial and section.weights not in ("none", "timm"):
        origin = load_weights(
            backbone,
            Path(section.weights),
            expected_sha256=section.weights_sha256,
            partial=section.weights_partial,
        )
    classifier = Classifier(backbone, head, labels, (section.mean, section.std))
    _check_features(classifier, section.backbone, size)
    return Made(classifier, origin)


def _check_features(classifier: Classifier, name: str, size: int) -> None:
    """Refuses a network that gives no [n, channels, rows, columns] for films of this size."""
    mode = classifier.training
    try:
        with torch.no_grad():
            maps = classifier.eval().features(torch.zeros(1, 1, size, size))
    except (AssertionError, RuntimeError, ValueError) as error:
        raise UsageError(f"{name!r} does not take films of {size} px: {error}.") from error
    classifier.train(mode)
    if maps.ndim != 4 or maps.shape[1] != classifier.backbone.channels:
        raise UsageError(
            f"{name!r} gives {list(maps.shape)} and not feature maps "
            f"[n, {classifier.backbone.channels}, rows, columns]; choose a convolutional network."
        )
