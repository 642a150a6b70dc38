"""TrainedNetwork: the network of a run, which lets methods look inside."""

from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pulmo.bundle.card import Card, read_card
from pulmo.bundle.export import ExportWrapper, load_classifier
from pulmo.bundle.image_predictor import ImagePredictor
from pulmo.bundle.outcome import Outputs
from pulmo.bundle.seen import seen_by
from pulmo.core.folders import RunFolder
from pulmo.explain.layers import at_rest, check_name, last_layer
from pulmo.lungs import LungFinder
from pulmo.lungs.framing import open_finder
from pulmo.models.classifier import Classifier


class TrainedNetwork(ImagePredictor):
    """A classifier with its card; it answers as the bundle that it would be exported to.

    Attributes:
        classifier: the network, whose mode and gradients are left as they are.
        batch: images that it is given at once where gradients are kept.
    """

    def __init__(
        self,
        classifier: Classifier,
        card: Card,
        batch: int = 8,
        finder: LungFinder | None = None,
    ) -> None:
        """Takes a classifier, the card that says what it is, and the network of the lungs, if any.

        Raises:
            InputError: that network is not the one of the card.
        """
        super().__init__(card, finder)
        self.classifier = classifier
        self.batch = batch

    def run(self, inputs: NDArray[np.uint8]) -> Outputs:
        """Runs the network on n inputs, uint8 [n, size, size], as `to_input` gives them."""
        images = torch.from_numpy(inputs[:, None]).to(self.classifier.mean.device)
        with at_rest(self.classifier), torch.no_grad():
            logits, activation, _ = ExportWrapper(self.classifier)(images)
        return Outputs(logits.cpu().numpy(), activation.cpu().numpy())

    def images(self, inputs: NDArray[np.uint8]) -> Tensor:
        """Returns inputs uint8 [n, size, size] as the classifier takes them, [n, 1, size, size]."""
        tensor = torch.from_numpy(inputs[:, None]).to(self.classifier.mean.device)
        return tensor.to(self.classifier.mean.dtype) / 255

    def layer(self, name: str | None) -> str:
        """Returns the name of a layer that the network has; the last one with maps if None.

        Raises:
            UsageError: it has none of this name, or none with maps.
        """
        if name is None:
            return self.last_layer
        check_name(self.classifier, name)
        return name

    @cached_property
    def last_layer(self) -> str:
        """The name of the last layer whose maps have more than one position.

        Raises:
            UsageError: there is none.
        """
        return last_layer(self.classifier, self.card.input.size)


def open_run(path: Path) -> TrainedNetwork:
    """Opens a finished training run, to explain its network.

    Raises:
        InputError: the run is unfinished or damaged.
    """
    run = RunFolder(path)
    classifier, card = load_classifier(path), read_card(run.card)
    finder = open_finder(card.input.image, run.finder, card.input.lungs)
    network = TrainedNetwork(classifier, card, finder=finder)
    network.seen = seen_by(run)
    return network
