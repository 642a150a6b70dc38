"""Networks: those of the parts, each applied to images of its own part."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pulmo.audit.batches import in_batches
from pulmo.bundle.outcome import Outputs, probabilities
from pulmo.bundle.predictor import Predictor
from pulmo.core.errors import InputError

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of an audit.

    Attributes:
        each: the opened bundle of each part.
        part: the number of the part of each row, [n].
    """

    each: Sequence[Predictor]
    part: NDArray[np.intp]

    def run(self, images: Pixels, numbers: NDArray[np.intp]) -> Outputs:
        """Returns what the networks give for images, each by that of its part.

        Args:
            images: uint8 [m, size, size].
            numbers: the row that each is made of, [m].

        Raises:
            InputError: a network gave a value that is not a number.
        """
        outputs = Outputs(
            *in_batches(
                self.part[numbers], lambda part, places: self.each[part].run(images[places])
            )
        )
        if not np.isfinite(outputs.logits).all():
            raise InputError(
                "output-not-finite",
                f"The model {self.each[0].card.name} returned a value that is not a number.",
            )
        return outputs

    def calibrated(
        self, logits: NDArray[np.float32], numbers: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Returns probabilities [m, classes] of logits, by the temperature of each row's model."""
        heat = np.array([network.card.temperature for network in self.each])
        return probabilities(logits / heat[self.part[numbers], np.newaxis], 1.0)

    def features(self, images: Pixels, numbers: NDArray[np.intp]) -> NDArray[np.float32] | None:
        """Returns what the networks make of images before their heads decide.

        Args:
            images: uint8 [m, size, size], one or more.
            numbers: the row that each is made of, [m].

        Returns:
            float32 [m, channels], each by the network of its part, so that features of two parts
            cannot be compared; None if a bundle does not give them.
        """

        def ask(part: int, places: NDArray[np.intp]) -> list[NDArray[np.float32]]:
            found = self.each[part].features(images[places])
            return [] if found is None else [found]

        found = in_batches(self.part[numbers], ask)
        return found[0] if found else None
